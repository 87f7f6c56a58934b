-- missing: a job that the log holds without outcome, or a broadcast's, and that an open queue has lost. It may have been
-- sent, so facts are waited for; one whose time has not come enters its line then.
-- KEYS[1] the queue's base. Keys touched: epoch, at, due, ev; j: k: s: l: c: ats: of the job.
-- ARGV: job id, at (seconds, or ""), attempts, seconds to wait for facts, since when it may have been begun (seconds), key digest or -, content digest, text (header
--   line and payload)
-- Answers "scheduled" | "settling" | "known": it is there | "later": another job heads its line, or the queue is closed
-- use: clock event pages job line
local id, at, attempts = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('EXISTS', K .. 'j:' .. id, K .. 's:' .. id) > 0 then
  return 'known'
end
redis.call('SET', K .. 'j:' .. id, ARGV[8])
local h = header(id)
if redis.call('EXISTS', K .. 'epoch') == 0 or (not at and redis.call('EXISTS', K .. 'l:' .. h.conv) == 1) then
  redis.call('DEL', K .. 'j:' .. id)
  return 'later'
end
if h.key ~= '-' then
  redis.call('SET', K .. 'k:' .. h.page .. ':' .. h.key, id .. ' ' .. ARGV[7], 'NX')
end
if at then
  schedule(id, at)
  return 'scheduled'
end
event('queued', id) -- the log may not know it either (a broadcast's): this is how it reads the job
redis.call('RPUSH', K .. 'l:' .. h.conv, id)
if class_of(h) then
  redis.call('HSET', ckey(h.conv), 'cs', class_of(h))
end
redis.call('HSET', ckey(h.conv), 'pg', h.page, 'ln', h.lane, 'nr', h.lane == 'r' and 1 or 0)
if attempts > 0 then
  redis.call('HSET', ckey(h.conv), 'a', attempts)
end
doubt(h.conv, id, 'missing', now + tonumber(ARGV[4]), ARGV[5])
return 'settling'
