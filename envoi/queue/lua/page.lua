-- page: pause or resume a page, or set what it is allowed. O(1): its waiting conversations stay where they are.
-- KEYS[1] the queue's base. Keys touched: pages, ev, tpl, bells; p: w: of the page.
-- ARGV: page, op, value, token version or "", cap of bells
--   op pause   value: the reason. With a token version: only if that version is still the page's (a 190 of an old
--              token must not pause a page that has a new one), and a page that is paused already keeps its reason
--   op hold    value: seconds in which nothing is claimed or begun (a throttle); page * means every page
--   op resume  value: ""
--   op set     value: JSON object of pace, cap and tv (token version), each optional
-- Answers "ok" | "stale" | "already": it was paused before, by another call in flight or by an operator.
-- use: clock bell pages
local page, op, value, version = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local p = pkey(page)
if op == 'pause' then
  if version ~= '' and version ~= (redis.call('HGET', p, 'tv') or '0') then
    return 'stale'
  end
  if version ~= '' and redis.call('HEXISTS', p, 'paused') == 1 then
    return 'already'
  end
  redis.call('HSET', p, 'paused', value, 'since', stamp(now))
  redis.call('ZREM', K .. 'pages:r', page)
  redis.call('ZREM', K .. 'pages:b', page)
  return 'ok'
end
if op == 'hold' then
  local state = redis.call('HMGET', p, 'free', 'slot')
  local ends = now + tonumber(value)
  redis.call('HSET', p, 'free', stamp(math.max(ends, tonumber(state[1] or 0))),
    'slot', stamp(math.max(ends, tonumber(state[2] or 0))))
  return 'ok'
end
if op == 'set' then
  for name, number in pairs(cjson.decode(value)) do
    redis.call('HSET', p, name, number)
  end
else
  redis.call('HDEL', p, 'paused', 'since')
end
for _, lane in ipairs({'r', 'b'}) do
  if redis.call('EXISTS', K .. 'w:' .. page .. ':' .. lane) == 1 then
    offer(page, lane)
  end
end
if work() then
  ring(ARGV[5])
end
return 'ok'
