-- Holding and releasing (standing.lua says what is kept).

-- The log is told by the stream that receipts go by (envoi/standing.py); empty values are left out.
local function tell_log(kind, conv, since, ends)
  local told = string.format('["%s",{"conversation":%s', kind, cjson.encode(conv))
  told = told .. (since and ',"since":' .. since or '') .. (ends and ',"until":' .. ends or '') .. '}]'
  redis.call('XADD', K .. 'receipts', '*', 'n', told)
end

-- Nobody is shown the hold any more. Answers whether there was one.
local function unlist(conv)
  local listed = redis.call('HDEL', K .. 'holds:' .. string.match(conv, '^[^/]+'), conv) == 1
  if listed then
    tell_log('hold', conv)
  end
  return listed
end

-- The hold is over: what was parked waits for its page again, in its lane.
local function lift(conv)
  redis.call('ZREM', K .. 'holds', conv)
  unlist(conv)
  local state = redis.call('HMGET', ckey(conv), 'pl', 'pg', 'ln', 'cs')
  redis.call('HDEL', ckey(conv), 'ho')
  if state[1] == 'p' then
    wait(conv, state[2], state[4], state[3] or 'b')
  end
end
