-- renew: a holder lives and makes progress; its leases run on.
-- KEYS[1] the queue's base. Keys touched: lease; c: of the conversations.
-- ARGV: lease (seconds), then conversation and fence, alternating. Answers how many were still the caller's.
-- use: clock
local kept = 0
for i = 2, #ARGV, 2 do
  if redis.call('HGET', K .. 'c:' .. ARGV[i], 'f') == ARGV[i + 1] then
    redis.call('ZADD', K .. 'lease', 'XX', stamp(now + tonumber(ARGV[1])), ARGV[i])
    kept = kept + 1
  end
end
return kept
