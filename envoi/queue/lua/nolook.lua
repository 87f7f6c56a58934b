-- nolook: a look could not be had.
-- KEYS[1] the queue's base. Keys touched: look, due; p: c: of the conversation.
-- ARGV: conversation, "blind" | "later", seconds
--   blind   nobody may look into this page: taken to be so for so long; only echoes and time decide
--   later   the page is throttled: no look for so long
-- Answers "ok". Said twice, it is counted from the second time.
-- use: clock event pages job line
local conv, op, seconds = ARGV[1], ARGV[2], tonumber(ARGV[3])
local p = pkey(string.match(conv, '^[^/]+'))
if op == 'later' then
  local held = math.max(now + seconds, tonumber(redis.call('HGET', p, 'lhold') or 0))
  redis.call('HSET', p, 'lhold', stamp(held))
  redis.call('ZADD', K .. 'look', 'XX', stamp(held), conv)
  return 'ok'
end
redis.call('HSET', p, 'blind', stamp(now + seconds))
redis.call('ZREM', K .. 'look', conv)
local state = redis.call('HMGET', ckey(conv), 'pl', 'aw')
if state[1] == 's' then
  redis.call('ZADD', K .. 'due', 'XX', stamp(math.max(now, tonumber(state[2] or now))), conv)
end
return 'ok'
