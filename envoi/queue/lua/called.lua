-- called: whether an earlier message call of this job may have been taken. Asked for private replies only: of these Meta
-- takes one, so its word that there is one already (10900) is evidence, if we may have sent it.
-- KEYS[1] the queue's base. Keys touched: c: of the conversation.
-- ARGV: op, conversation, fence
--   op call   right before the message call: it counts from now on
--   op clear  that call was surely not taken
-- Answers 1 if an earlier call may have been taken, else 0. Asked again, it answers the same and changes nothing.
-- use: clock
local op, c, fence = ARGV[1], K .. 'c:' .. ARGV[2], ARGV[3]
local state = redis.call('HMGET', c, 'f', 'cl')
if state[2] and state[2] ~= fence then
  return 1
end
if op == 'call' and state[1] == fence then
  redis.call('HSET', c, 'cl', fence)
elseif op == 'clear' then
  redis.call('HDEL', c, 'cl')
end
return 0
