-- A page: p:<page>, hash
--   pace   messages per second   cap  calls in flight allowed    (both absent: the caller's defaults)
--   slot   the earliest time of the next message call, charged at begin (GCRA without burst)
--   free   the earliest time of the next claim: spreads claims as the pace will spread the calls
--   busy   conversations held     paused  why it is paused, if it is     tv  version of its token
--   k      replies claimed since the last bulk job
--   ap     its app; absent: the app of pages that name none
--   sf, st the page is slowed: the part of its pace that it had left at the time st; it grows back from then on
--   sd     in how many seconds it doubles; absent: DOUBLING
-- and what looks.lua keeps.
-- p:*<app>, of the same form, holds free and slot, sf, st and sd for all pages of an app (p:* for those that name none).
-- pages:r, pages:b: sorted sets of pages with waiting conversations; the score is only a hint of when to look.
-- known: sorted set of all pages that ever had one, by name.

-- Claims may run ahead of the pace by so many seconds: typing_on is made meanwhile, and begin guards the pace itself.
local AHEAD = 0.1
-- What is left of a slowed page's pace doubles in so many seconds, up to all of it (envoi/queue/slowing.py).
local DOUBLING = 10
-- After a hold it doubles so many times in as long as the hold was, if that is faster: a short throttle costs little.
local DOUBLINGS_A_HOLD = 6
-- What is left of the pace at least, and right after a hold.
local LEAST = 0.1

local function pkey(page)
  return K .. 'p:' .. page
end

-- The app of a page, by the field that its hash has for it: where what holds for all its pages is kept.
local function appkey(app)
  return K .. 'p:*' .. (app or '')
end

-- The part of the pace that a page or app has now: LEAST to 1, never 0.
local function left(sf, st, sd)
  if not sf then
    return 1
  end
  local doublings = math.min(64, math.max(0, now - tonumber(st or 0)) / tonumber(sd or DOUBLING))
  return math.max(LEAST, math.min(1, tonumber(sf) * 2 ^ doublings))
end

-- Put a page with waiting conversations where claim looks. A paused page stays away: pausing costs O(1).
local function offer(page, lane)
  local state = redis.call('HMGET', pkey(page), 'paused', 'free', 'ap')
  if not state[1] then
    local held = tonumber(redis.call('HGET', appkey(state[3]), 'free') or 0)
    redis.call('ZADD', K .. 'pages:' .. lane, 'NX', stamp(math.max(now, held, tonumber(state[2] or 0) - AHEAD)), page)
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
