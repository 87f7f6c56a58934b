-- reassert: a worker tells a restarted Redis what it holds. What a claim or a begin made in the lost moments is restored
-- while the gate is shut; afterwards only leases are renewed.
-- KEYS[1] the queue's base. Keys touched: workers, lease, due, ev, pages, doubted; c: l: s: k: j: x: w: p: of the
--   conversations.
-- ARGV: worker, run id, lease (seconds), then for each conversation
--   conversation, fence, job id, attempt, 1 if its message call is marked (else 0); status ttl, key ttl
-- Answers how many the worker holds now.
-- Bound: O(conversations), each with at most 1000 jobs that lost their outcomes.
-- use: clock event pages job line restore
local worker, run, ends = ARGV[1], ARGV[2], now + tonumber(ARGV[3])
redis.call('ZADD', K .. 'workers', stamp(now), worker)
local kept = 0
for i = 4, #ARGV - 2, 5 do
  local conv, fence, id, attempt, marked = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), ARGV[i + 4]
  local c = ckey(conv)
  if redis.call('HGET', c, 'f') == fence or restore(conv, fence, id, attempt, ends) then
    redis.call('ZADD', K .. 'lease', stamp(ends), conv)
    redis.call('HSET', c, 're', run)
    if marked == '1' then
      redis.call('HSET', c, 'm', fence)
    end
    kept = kept + 1
  end
end
return kept
