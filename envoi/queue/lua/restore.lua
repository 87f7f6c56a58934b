-- A restarted Redis may have lost a claim. While the gate is shut the holder's own word brings it back: nobody else
-- can have claimed since, and whatever was claimed later has a higher attempt.

-- Whoever held a job held it after every job ahead of it had its outcome. Those outcomes were lost.
local function overtaken(conv, id)
  for _ = 1, 1000 do
    local head = redis.call('LINDEX', K .. 'l:' .. conv, 0)
    if head == id then
      return
    end
    local state = redis.call('HMGET', ckey(conv), 'pl', 'pg', 'mid', 'rid', 'a')
    if state[1] == 'h' then
      tell_calls(conv, head)
      release(conv, state[2])
    end
    local fields = {attempts = state[5] or nil}
    if redis.call('EXISTS', K .. 's:' .. head, K .. 'x:' .. head) > 0 then
      redis.call('DEL', K .. 'x:' .. head)
      advance(conv, state[2])
    elseif state[3] then
      fields.message_id, fields.recipient_id = state[3], state[4]
      settle(conv, head, state[2], 'sent', fields, '')
    else
      fields.error = trouble('Redis lost its outcome')
      settle(conv, head, state[2], acts(head) and 'failed' or 'unknown', fields, '')
    end
  end
end

-- restore(conv, fence, id, attempt, ends): the holder of `fence` holds the job again, under a lease until `ends`.
-- Answers whether he does.
local function restore(conv, fence, id, attempt, ends)
  if OPEN or redis.call('EXISTS', K .. 's:' .. id) == 1 then
    return false
  end
  if redis.call('LINDEX', K .. 'l:' .. conv, 0) ~= id then
    if not redis.call('LPOS', K .. 'l:' .. conv, id, 'MAXLEN', 1000) then
      return false
    end
    overtaken(conv, id)
  end
  local c = ckey(conv)
  local state = redis.call('HMGET', c, 'pl', 'f', 'a', 'm', 'pg', 'su', 'lf')
  local place, latest, page = state[1], tonumber(state[3] or 0), state[5]
  local word = said(state[7], fence)
  if word and word ~= 'begin' and word ~= 'keep' then
    return false -- it has let go, and that was not lost
  elseif place == 'h' and state[2] ~= fence and attempt <= latest then
    return false -- somebody else's, and not an earlier one
  elseif place == 's' and (state[6] or (state[4] ~= fence and attempt <= latest)) then
    return false -- already in doubt, or another call's
  elseif attempt < latest then
    return false
  end
  if place ~= 'h' then
    redis.call('HINCRBY', pkey(page), 'busy', 1)
    redis.call('ZREM', K .. 'due', conv)
  end
  if state[2] ~= fence then
    tell_calls(conv, id)
    redis.call('HDEL', c, 'm', 're', 'kc')
    event('sending', id, 'a', attempt)
  end
  redis.call('HSET', c, 'pl', 'h', 'st', 'sending', 'f', fence, 'a', attempt)
  redis.call('ZADD', K .. 'lease', stamp(ends), conv)
  return true
end
