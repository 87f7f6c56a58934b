-- A page: p:<page>, hash
--   pace   messages per second   cap  calls in flight allowed    (both absent: the caller's defaults)
--   slot   the earliest time of the next message call, charged at begin (GCRA without burst)
--   free   the earliest time of the next claim: spreads claims as the pace will spread the calls
--   tfree  the same of the next head that comes back, typed to before
--   busy   conversations held     paused  why it is paused, if it is     tv  version of its token
--   room   its cap, as the last claim had it    full  a claim has found it at its cap
--   k      replies claimed since the last bulk job
--   ap     its app; absent: the app of pages that name none
--   sf, st the page is slowed: the part of its pace that it had left at the time st; it grows back from then on
--   sd     in how many seconds it doubles; absent: DOUBLING
--   ig     it is on Instagram: other defaults hold (pace.lua)
--   calls  slot of the call budget, charged at claim
--   mpace  media per second       mslot, mfree, mtfree and pslot, pfree  slot, free and tfree of media and of private replies
-- and what looks.lua keeps.
-- p:*<app>, of the same form, holds free and slot, sf, st, sd and calls for all pages of an app (p:* for those that name none).
-- pages:r, pages:b: sorted sets of queues with waiting conversations; the score is only a hint of when to look. A page has a
--   queue for each class of message (pace.lua), so that what must wait for its class keeps nobody else waiting: <page>,
--   <page>/m and <page>/p; each has a waiting list a lane, w:<queue>:<lane>
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

local function page_of(queue)
  return string.match(queue, '^[^/]+')
end

-- The queue in which a head of this class waits.
local function queue_of(page, class)
  return class and class ~= '' and page .. '/' .. class or page
end

-- What this pack has seen already, so that it asks once: queues that are in their set, and the room of pages that no claim
-- has found at their cap.
local listed, rooms = {r = {}, b = {}}, {}

-- Put a queue with waiting conversations where claim looks. A paused page stays away: pausing costs O(1). From when on its
-- class may be claimed is not looked up here: claim corrects the hint.
local function offer(queue, lane)
  if listed[lane][queue] then
    return
  end
  local set = K .. 'pages:' .. lane
  if redis.call('ZSCORE', set, queue) then
    listed[lane][queue] = true
    return
  end
  local page = page_of(queue)
  redis.call('ZADD', K .. 'known', 'NX', '0', page)
  local state = redis.call('HMGET', pkey(page), 'paused', 'free', 'ap')
  if not state[1] then
    local held = tonumber(redis.call('HGET', appkey(state[3]), 'free') or 0)
    redis.call('ZADD', set, stamp(math.max(now, held, tonumber(state[2] or 0) - AHEAD)), queue)
    listed[lane][queue] = true
  end
end

-- Nothing waits in a queue, or its page may not send.
local function withhold(queue, lane)
  redis.call('ZREM', K .. 'pages:' .. lane, queue)
  listed[lane][queue] = nil
end

-- Every queue of a page with waiting conversations is offered.
local function offer_all(page)
  local w = K .. 'w:' .. page
  if redis.call('EXISTS', w .. ':r', w .. ':b', w .. '/m:r', w .. '/m:b', w .. '/p:r', w .. '/p:b') == 0 then
    return
  end
  for _, queue in ipairs({page, page .. '/m', page .. '/p'}) do
    for _, lane in ipairs({'r', 'b'}) do
      if redis.call('EXISTS', K .. 'w:' .. queue .. ':' .. lane) == 1 then
        offer(queue, lane)
      end
    end
  end
end

-- One call in flight less. A page that stood at its cap has been taken from the sets and is offered again. The version before
-- does not note that it took one (full): it is told by the cap.
local function unbusy(page)
  local busy = redis.call('HINCRBY', pkey(page), 'busy', '-1')
  if rooms[page] and busy + 1 < rooms[page] then
    return
  end
  local state = redis.call('HMGET', pkey(page), 'full', 'room')
  if state[1] then
    redis.call('HDEL', pkey(page), 'full')
  elseif state[2] and busy + 1 < tonumber(state[2]) then
    rooms[page] = tonumber(state[2])
    return
  end
  offer_all(page)
end
