-- glance: a worker asks for one look before it calls again: Graph said that the call before had failed, which is not always
-- true. Charged to the page's budget of looks like any other.
-- KEYS[1] the queue's base. Keys touched: c: p: mids: of the conversation.
-- ARGV: conversation, fence, seconds between the looks of a page, the longest wait that the caller may make (seconds),
--   seconds beyond which a look counts as not to be had
-- Answers {"go", seconds to wait first, the time, known …} | {"wait", seconds} | {"none"}: not to be had
-- Asked again (its answer was lost), it may charge a second look.
-- use: clock event pages job line looks
local conv, fence, gap, patience, longest = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local state = redis.call('HMGET', ckey(conv), 'f', 'pg')
if state[1] ~= fence then
  return {'none'} -- begin says what is the matter
end
local p = redis.call('HMGET', pkey(state[2]), 'blind', 'look', 'lhold')
local soonest = math.max(tonumber(p[2] or 0), tonumber(p[3] or 0)) - now
if not by_id(conv) or tonumber(p[1] or 0) > now then
  return {'none'}
end
if redis.call('HEXISTS', ckey(conv), 'ls') == 0 and soonest > longest then
  return {'none'}
end
local wait = math.max(0, look_slot(conv, state[2], gap) - now)
if wait > patience then
  return {'wait', stamp(wait)}
end
let_go(conv, state[2], now + wait)
return {'go', stamp(wait), stamp(now), unpack(known_of(conv))}
