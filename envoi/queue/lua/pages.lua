-- A page: p:<page>, hash
--   pace   messages per second   cap  calls in flight allowed    (both absent: the caller's defaults)
--   slot   the earliest time of the next message call, charged at begin (GCRA without burst)
--   free   the earliest time of the next claim: spreads claims as the pace will spread the calls
--   busy   conversations held     paused  why it is paused, if it is     tv  version of its token
--   k      replies claimed since the last bulk job
-- and what looks.lua keeps.
-- p:*, of the same form, holds free and slot for all pages at once: a throttle of the app.
-- pages:r, pages:b: sorted sets of pages with waiting conversations; the score is only a hint of when to look.
-- known: sorted set of all pages that ever had one, by name.

-- Claims may run ahead of the pace by so many seconds: typing_on is made meanwhile, and begin guards the pace itself.
local AHEAD = 0.1

local function pkey(page)
  return K .. 'p:' .. page
end

-- Put a page with waiting conversations where claim looks. A paused page stays away: pausing costs O(1).
local function offer(page, lane)
  local state = redis.call('HMGET', pkey(page), 'paused', 'free')
  if not state[1] then
    redis.call('ZADD', K .. 'pages:' .. lane, 'NX', stamp(math.max(now, tonumber(state[2] or 0) - AHEAD)), page)
  end
end

-- One call in flight less. A page that stood at its cap has been taken from the sets and is offered again.
local function unbusy(page)
  redis.call('HINCRBY', pkey(page), 'busy', -1)
  for _, lane in ipairs({'r', 'b'}) do
    if redis.call('EXISTS', K .. 'w:' .. page .. ':' .. lane) == 1 then
      offer(page, lane)
    end
  end
end
