-- begun: the calls that a holder told with its begin, told again: Redis has restarted, and may have lost them.
-- KEYS[1] the queue's base. Keys touched: lease, due, ev, pages; c: l: s: k: j: x: w: p: of the conversation.
-- ARGV: conversation, fence, job id, attempt, lease (seconds), calls (JSON), status ttl, key ttl
-- Answers 1 if they were lost, and are noted now. Else nothing is noted twice.
-- Bound: at most 1000 jobs that lost their outcomes (restore.lua).
-- use: clock event pages job line restore
local conv, fence, id, attempt = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local c = ckey(conv)
if redis.call('HGET', c, 'f') ~= fence and not restore(conv, fence, id, attempt, now + tonumber(ARGV[5])) then
  return 0
end
if said(redis.call('HGET', c, 'lf'), fence) then -- a begin comes before all else that a holder says
  return 0
end
redis.call('HSET', c, 'lf', fence .. ' begin', 'kc', ARGV[6])
return 1
