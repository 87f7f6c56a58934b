-- looked: the last look into a settling conversation proved nothing. Its job ends, or goes on if it says so.
-- KEYS[1] the queue's base. Keys touched: look, due, ev, pages; c: l: s: k: j: x: w: p: of the conversation.
-- ARGV: conversation, job id, mark that it settles by, attempts allowed by default, status ttl, key ttl
-- Answers "unknown" | "retrying", or "stale" if it has been settled since: so it is when this is said twice.
-- use: clock event bell pages job line conclude
local conv, id, mark = ARGV[1], ARGV[2], ARGV[3]
local state = redis.call('HMGET', ckey(conv), 'pl', 'm')
if state[1] ~= 's' or state[2] ~= mark or redis.call('LINDEX', K .. 'l:' .. conv, 0) ~= id then
  return 'stale'
end
return conclude(conv, id, tonumber(ARGV[4]))
