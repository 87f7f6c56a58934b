-- fact: proof from outside that a message was sent, or that one call of it was not: an echo, a look, an operator. From
-- anyone, at any time, twice too.
-- KEYS[1] the queue's base. Keys touched: due, at, ev, pages; c: l: s: k: j: x: w: p: of the conversation.
-- ARGV: job id, "sent" | "not-sent", message id | the fence of the call ("*": an operator's word, of whichever call is
--   in doubt), recipient id or "", attempts allowed by default, status ttl, key ttl
-- Answers for sent      "settled" | "held" | "corrected" | "known"
--         for not-sent  "retrying" | "failed" | "cancelled" | "settled" (before) | "stale" (not the call in doubt)
-- use: clock event pages job mids line proof
local id, kind = ARGV[1], ARGV[2]
local h = header(id)
if kind == 'sent' then
  if not h and redis.call('EXISTS', K .. 's:' .. id) == 0 then
    return redis.error_reply('UNKNOWNJOB no job ' .. id)
  end
  return proved_sent(h and h.conv or '', id, ARGV[3], ARGV[4], '')
end
if redis.call('EXISTS', K .. 's:' .. id) == 1 then
  return 'settled'
end
if not h then
  return redis.error_reply('UNKNOWNJOB no job ' .. id)
end
-- "Not sent" is taken only while this very call is in doubt: of another one it would be no proof, and its holder
-- still waits for an answer that says more.
local c, conv = ckey(h.conv), h.conv
local state = redis.call('HMGET', c, 'pl', 'm', 'a', 'x', 'er', 'pg')
if redis.call('LINDEX', K .. 'l:' .. conv, 0) ~= id or state[1] ~= 's' or (state[2] ~= ARGV[3] and ARGV[3] ~= '*') then
  return 'stale'
end
-- Order clears the jobs behind: they would have been begun after it.
redis.call('HDEL', c, 'm', 'ty', 'su', 'sd', 'sb', 'ab')
local attempts = tonumber(state[3] or 0)
if state[4] then
  settle(conv, id, h.page, 'cancelled', {attempts = attempts, error = trouble('cancelled before it was sent')}, '')
  return 'cancelled'
elseif attempts >= (tonumber(h.attempts) or tonumber(ARGV[5])) then
  settle(conv, id, h.page, 'failed', {attempts = attempts, error = state[5] or nil}, '')
  return 'failed'
end
postpone(conv, 'd', 'retrying', now)
event('retrying', id, 'a', attempts, 'd', stamp(now), 'x', state[5])
return 'retrying'
