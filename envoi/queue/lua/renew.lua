-- renew: a worker lives and makes progress; its leases run on. While the gate is shut nobody is registered by it: an
-- unknown worker started after the restart, or says by reassert what it holds.
-- KEYS[1] the queue's base. Keys touched: workers, lease; c: of the conversations.
-- ARGV: worker, lease (seconds), then conversation and fence, alternating. Answers how many were still the caller's.
-- Bound: O(conversations).
-- use: clock
local worker, ends = ARGV[1], now + tonumber(ARGV[2])
redis.call('ZADD', K .. 'workers', OPEN and 'GT' or 'XX', stamp(now), worker)
local kept = 0
for i = 3, #ARGV, 2 do
  if redis.call('HGET', K .. 'c:' .. ARGV[i], 'f') == ARGV[i + 1] then
    redis.call('ZADD', K .. 'lease', 'XX', stamp(ends), ARGV[i])
    kept = kept + 1
  end
end
return kept
