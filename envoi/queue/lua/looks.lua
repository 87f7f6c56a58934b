-- The page's budget of looks: fields of p:<page>
--   look   the earliest time of the next look, charged when one is promised    lk  when the last one was let go
--   lhold  no look before: a throttle
--   blind  until when the page is taken to be one that nobody may look into

-- When a conversation may be looked into: a promise once made (field ls) is kept until a throttle breaks it. `gap` seconds
-- lie between the looks of a page.
local function look_slot(conv, page, gap)
  local c, p = ckey(conv), redis.call('HMGET', pkey(page), 'look', 'lhold', 'lk')
  local held, promised = tonumber(p[2] or 0), tonumber(redis.call('HGET', c, 'ls') or nil)
  if held > now then
    redis.call('HDEL', c, 'ls')
    return held
  end
  if not promised then
    promised = math.max(now, tonumber(p[1] or 0))
    redis.call('HSET', pkey(page), 'look', stamp(promised + gap))
  end
  redis.call('HSET', c, 'ls', stamp(promised))
  return math.max(now, promised, tonumber(p[3] or 0) + gap) -- promises that nobody came for do not all fall due at once
end

-- The look is made at `at`.
local function let_go(conv, page, at)
  redis.call('HDEL', ckey(conv), 'ls')
  redis.call('HSET', pkey(page), 'lk', stamp(at))
end

-- What a look needs to tell other messages from ours.
local function known_of(conv)
  return redis.call('LRANGE', K .. 'mids:' .. conv, 0, 63)
end
