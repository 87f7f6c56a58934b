-- A conversation: l:<conv>, list of job ids, and c:<conv>, hash of the state of its head:
--   pg page    ln lane (r|b)    nr jobs of the lane replies in the line
--   pl place: w waiting for its page, h held by a worker, d until its due time, s settling
--   st state of the head    f fence    a attempt    m mark (fence of the message call that may be in flight)
--   mid, rid  message id and recipient id, once accepted    ty when typing_on was made    x cancel is wished    er last error
-- Only heads move: a waiting job is one string and one list entry.
local function ckey(conv)
  return K .. 'c:' .. conv
end

-- The conversation waits for its page; at the front when it only gave its turn back.
local function wait(conv, page, lane, front)
  redis.call('HSET', ckey(conv), 'pl', 'w', 'ln', lane)
  redis.call(front and 'LPUSH' or 'RPUSH', K .. 'w:' .. page .. ':' .. lane, conv)
  offer(page, lane)
end

-- The holder lets go: no lease, no fence, one call in flight less.
local function release(conv, page)
  redis.call('ZREM', K .. 'lease', conv)
  redis.call('HDEL', ckey(conv), 'f')
  unbusy(page)
end

-- Take the head off the line; the next one waits, or the conversation ends. A job cancelled while it waited has
-- left x:<id> behind and is no longer counted in nr: skipped here, 100 at a time (the rest when it is claimed), so
-- that no line blocks Redis.
local function advance(conv, page, counted)
  local line, c = K .. 'l:' .. conv, ckey(conv)
  local replies = tonumber(redis.call('HGET', c, 'nr') or 0)
  local h = header(redis.call('LPOP', line))
  if counted and h and h.lane == 'r' then
    replies = replies - 1
  end
  local head = redis.call('LINDEX', line, 0)
  for _ = 1, 100 do
    if not head or redis.call('DEL', K .. 'x:' .. head) == 0 then
      break
    end
    redis.call('LPOP', line)
    head = redis.call('LINDEX', line, 0)
  end
  redis.call('DEL', c)
  if head then
    redis.call('HSET', c, 'pg', page, 'nr', replies, 'st', 'queued')
    wait(conv, page, replies > 0 and 'r' or 'b')
  end
end

-- The head has its outcome.
local function settle(conv, id, page, state, fields, calls)
  redis.call('ZREM', K .. 'due', conv)
  settled(id, header(id), state, fields, calls)
  advance(conv, page, true)
end

-- The head comes back at a time: for a retry (place d), or while facts are waited for (place s).
local function postpone(conv, place, state, due)
  redis.call('HSET', ckey(conv), 'pl', place, 'st', state)
  redis.call('ZADD', K .. 'due', stamp(due), conv)
end

-- A job enters its line. A reply behind bulk jobs lifts the conversation to the lane replies; its old entry in the
-- other waiting list is left there and skipped when met (taking it out would be O(n)).
local function enter(id, h)
  local c, conv = ckey(h.conv), h.conv
  local length = redis.call('RPUSH', K .. 'l:' .. conv, id)
  if h.lane == 'r' then
    redis.call('HINCRBY', c, 'nr', 1)
  end
  if length == 1 then
    redis.call('HSET', c, 'pg', h.page, 'st', 'queued')
    wait(conv, h.page, h.lane)
  elseif h.lane == 'r' then
    local state = redis.call('HMGET', c, 'pl', 'ln')
    if state[1] == 'w' and state[2] == 'b' then
      wait(conv, h.page, 'r')
    end
  end
end
