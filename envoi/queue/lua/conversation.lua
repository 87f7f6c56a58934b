-- conversation: what is known of one. Reads only.
-- KEYS[1] the queue's base. Keys read: l: c: x: ats: of the conversation; holds: optouts: of its page.
-- ARGV: conversation, how many jobs are looked at to leave out those that were cancelled in line
-- Answers: jobs in line, the head's id or "", scheduled jobs, since when and until when it is held (as hold.lua) or "",
--   since when the person has opted out or "", the time.
-- Bound: O(looked at); the jobs behind them are counted as they stand.
-- use: clock
local conv, most = ARGV[1], tonumber(ARGV[2])
local page, line = string.match(conv, '^[^/]+'), K .. 'l:' .. conv
local length, head = redis.call('LLEN', line), ''
for _, id in ipairs(redis.call('LRANGE', line, 0, most - 1)) do
  if redis.call('EXISTS', K .. 'x:' .. id) == 1 then
    length = length - 1
  elseif head == '' then
    head = id
  end
end
return {
  length, head, redis.call('SCARD', K .. 'ats:' .. conv), redis.call('HGET', K .. 'holds:' .. page, conv) or '',
  redis.call('HGET', K .. 'optouts:' .. page, conv) or '', stamp(now),
}
