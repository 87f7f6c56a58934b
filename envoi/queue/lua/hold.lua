-- hold: hold a conversation, or release it. O(1): a held conversation is parked by the claim that meets it.
-- KEYS[1] the queue's base. Keys touched: holds, receipts, doubted; c: of the conversation; holds: of its
--   page.
-- ARGV: conversation, op, until when (seconds) or "-", since when (seconds, or "": now), seconds that Redis may lose
--   op hold      until then, or until it is released; said again it only moves the end
--   op restore   the same, from the log
--   op release   where jobs wait, the hold ends once Redis can no longer lose that: a job that was begun after a release
--                is never found under its hold after a restart, so what is held then was surely not begun (suspect.lua)
-- Answers 1 if this changed whether it is held, else 0.
-- use: clock event pages job line holds
local conv, op, ends, since = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local c, page = ckey(conv), string.match(conv, '^[^/]+')
if not OPEN and redis.call('HGET', c, 'pl') == 'p' then
  redis.call('SADD', K .. 'doubted', conv) -- an earlier hold may have ended in moments that Redis lost
end
if op == 'release' then
  local listed = unlist(conv)
  if redis.call('HEXISTS', c, 'pl') == 0 then
    lift(conv)
  elseif listed then
    -- Not later than it ends by itself: that may have been in moments that Redis lost.
    local before, said = string.match(redis.call('HGET', c, 'ho') or '', '^(%S+) (%S+)$')
    local over = stamp(math.min(tonumber(before) or math.huge, now + tonumber(ARGV[5])))
    redis.call('HSET', c, 'ho', over .. ' ' .. (said or stamp(now)))
    redis.call('ZADD', K .. 'holds', over, conv)
  end
  return listed and 1 or 0
end
local listed = redis.call('HGET', K .. 'holds:' .. page, conv)
local from = listed and string.match(listed, '^%S+') or (since ~= '' and since) or stamp(now)
redis.call('HSET', c, 'ho', ends .. ' ' .. stamp(now))
redis.call('ZADD', K .. 'holds', ends == '-' and '+inf' or ends, conv)
redis.call('HSET', K .. 'holds:' .. page, conv, from .. ' ' .. ends)
if op == 'hold' then
  tell_log('hold', conv, from, ends ~= '-' and ends)
end
return listed and 0 or 1
