-- cancel: not after the message call has begun, and never by freeing a conversation that somebody holds (the next
-- job would overtake).
-- KEYS[1] the queue's base. Keys touched: at, due, ev, pages; c: l: s: k: j: x: w: p: ats: of the conversation.
-- ARGV: job id, status ttl, key ttl
-- Answers "cancelled" | "pending" (held: decided at begin) | "too_late". Gated: a job that seems to wait may have been
-- begun in moments that a restarted Redis lost.
-- use: clock event pages job line
local id = ARGV[1]
if redis.call('EXISTS', K .. 's:' .. id) == 1 then
  return 'too_late'
end
local h = header(id)
if not h then
  return redis.error_reply('UNKNOWNJOB no job ' .. id)
end
local fields = {error = trouble('cancelled before the message call')}
if unschedule(id) then
  settled(id, h, 'cancelled', fields, '')
  return 'cancelled'
end
local c, conv = ckey(h.conv), h.conv
if redis.call('LINDEX', K .. 'l:' .. conv, 0) ~= id then
  local doubted = tonumber(redis.call('HGET', c, 'su') or 0) -- behind the head: begun perhaps, in moments that Redis lost
  if doubted > 0 and redis.call('LPOS', K .. 'l:' .. conv, id, 'MAXLEN', doubted + 1) then
    return 'too_late'
  end
  redis.call('SET', K .. 'x:' .. id, 1) -- skipped when it would become the head; no search through the line
  if h.lane == 'r' then
    redis.call('HINCRBY', c, 'nr', -1)
  end
  settled(id, h, 'cancelled', fields, '')
  return 'cancelled'
end
local state = redis.call('HMGET', c, 'pl', 'm', 'mid', 'a')
if state[1] == 's' or state[2] or state[3] then
  return 'too_late'
end
if state[1] == 'h' then
  redis.call('HSET', c, 'x', 1)
  return 'pending'
end
fields.attempts = state[4] or nil
settle(conv, id, h.page, 'cancelled', fields, '')
return 'cancelled'
