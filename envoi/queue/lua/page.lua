-- page: pause or resume a page, or set what it is allowed. O(1): its waiting conversations stay where they are.
-- KEYS[1] the queue's base. Keys touched: pages, ev, tpl, bells; p: w: of the page, p:* of its app.
-- ARGV: page, op, value, token version or "", cap of bells
--   op pause   value: the reason. With a token version: only if that version is still the page's (a 190 of an old
--              token must not pause a page that has a new one), and a page that is paused already keeps its reason
--   op hold    value: seconds in which nothing is claimed or begun (a throttle); its pace then grows from little, the
--              faster the shorter the hold was
--   op slow    value: the part of its pace that is left, from which it grows; more than is left now changes nothing
--              hold-app and slow-app say the same of all pages of the page's app
--   op resume  value: ""
--   op set     value: JSON object of pace, mpace, cap, tv (token version), ap (app) and ig (on Instagram), each optional; "" goes back to default
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
  for _, lane in ipairs({'r', 'b'}) do
    redis.call('ZREM', K .. 'pages:' .. lane, page, page .. '/m', page .. '/p')
  end
  return 'ok'
end
local whose = p
if op == 'hold-app' or op == 'slow-app' then
  whose = appkey(redis.call('HGET', p, 'ap'))
end
local state = redis.call('HMGET', whose, 'free', 'slot', 'sf', 'st', 'sd')
if op == 'hold' or op == 'hold-app' then
  local ends = now + tonumber(value)
  redis.call('HSET', whose, 'free', stamp(math.max(ends, tonumber(state[1] or 0))),
    'slot', stamp(math.max(ends, tonumber(state[2] or 0))))
  if ends >= tonumber(state[4] or 0) then -- else a longer hold is on, and says how the pace comes back
    local doubling = math.max(0.01, math.min(DOUBLING, tonumber(value) / DOUBLINGS_A_HOLD))
    redis.call('HSET', whose, 'sf', LEAST, 'st', stamp(ends), 'sd', stamp(doubling))
  end
  return 'ok'
end
if op == 'slow' or op == 'slow-app' then
  local factor = math.max(LEAST, tonumber(value))
  if factor < left(state[3], state[4], state[5]) then
    redis.call('HSET', whose, 'sf', factor, 'st', stamp(now), 'sd', DOUBLING)
  end
  return 'ok'
end
if op == 'set' then
  for name, given in pairs(cjson.decode(value)) do
    if given == '' then
      redis.call('HDEL', p, name)
    else
      redis.call('HSET', p, name, given)
    end
  end
else
  redis.call('HDEL', p, 'paused', 'since')
end
offer_all(page)
if work() then
  ring(ARGV[5])
end
return 'ok'
