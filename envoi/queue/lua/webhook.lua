-- webhook: take what a webhook tells, all of it or nothing. What a person did takes effect at once, so that an answer
-- which the same web app enqueues next finds the window open; the rest waits in two streams for the scheduler.
-- KEYS[1] the queue's base. Keys touched: told, receipts, late; in: r: of the conversations; fed: of their pages.
-- ARGV: caps of the streams told and receipts, seconds that a sign of life is kept, seconds that a page counts as fed,
--   seconds that a refusal then holds, how many conversations heard of, how many notices for the queue,
--   then for each conversation: its name and when the person was heard of (seconds); the notices for the queue; and the
--   notices for the log
-- Answers how many signs of life were news.
-- Bound: O(arguments), which the size of a webhook bounds. Twice it changes nothing but the streams, whose readers do not
-- mind.
-- use: clock
local kept, heard, told = tonumber(ARGV[3]), tonumber(ARGV[6]), tonumber(ARGV[7])
local first = 8 + 2 * heard
local receipts = #ARGV + 1 - first - told
if redis.call('XLEN', K .. 'told') + told > tonumber(ARGV[1]) then
  return redis.error_reply('QUEUEFULL too many notices of webhooks wait for a scheduler')
end
if receipts > 0 then
  local waiting = redis.call('XLEN', K .. 'receipts') + redis.call('ZCARD', K .. 'late')
  if waiting + receipts > tonumber(ARGV[2]) then
    return redis.error_reply('QUEUEFULL too many receipts of webhooks wait for the log')
  end
end

local news = 0
for n = 0, heard - 1 do
  local conv, at = ARGV[8 + 2 * n], math.min(now, tonumber(ARGV[9 + 2 * n])) -- a clock ahead of ours opens no longer
  redis.call('SET', K .. 'fed:' .. string.match(conv, '^[^/]+'), ARGV[5], 'EX', ARGV[4])
  local left = math.ceil(at + kept - now)
  if left > 0 and at > tonumber(redis.call('GET', K .. 'in:' .. conv) or 0) then
    redis.call('SET', K .. 'in:' .. conv, stamp(at), 'EX', left)
    redis.call('DEL', K .. 'r:' .. conv) -- the person has written: jobs to them are tried again
    news = news + 1
  end
end
for n = first, first + told - 1 do
  redis.call('XADD', K .. 'told', '*', 'n', ARGV[n])
end
for n = first + told, #ARGV do
  redis.call('XADD', K .. 'receipts', '*', 'n', ARGV[n])
end
return news
