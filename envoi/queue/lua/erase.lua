-- erase: forget a conversation, whatever is said of it. Not while a job is in it.
-- KEYS[1] the queue's base. Keys touched: holds, due, look, lease, doubted, recover:doubt; c: r: mids: in: of the
--   conversation; holds: optouts: p: of its page.
-- ARGV: conversation
-- Answers 1, or 0 where a job is in it: nothing was done then. Twice it changes nothing. O(1); an entry may be
--   left behind in a waiting list (line.lua).
-- use: clock event pages
local conv = ARGV[1]
local page = string.match(conv, '^[^/]+')
if redis.call('EXISTS', K .. 'l:' .. conv, K .. 'ats:' .. conv) > 0 then
  return 0
end
redis.call('DEL', K .. 'c:' .. conv, K .. 'r:' .. conv, K .. 'mids:' .. conv, K .. 'in:' .. conv)
for _, set in ipairs({'holds', 'due', 'look', 'lease'}) do
  redis.call('ZREM', K .. set, conv)
end
redis.call('SREM', K .. 'doubted', conv)
redis.call('HDEL', K .. 'recover:doubt', conv)
redis.call('HDEL', K .. 'holds:' .. page, conv)
redis.call('HDEL', K .. 'optouts:' .. page, conv)
if redis.call('EXISTS', K .. 'optouts:' .. page) == 0 then
  redis.call('HDEL', pkey(page), 'oo')
end
return 1
