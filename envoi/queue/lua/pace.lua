-- The limits of a page. One argument holds those of pages that have none of their own, in this order:
--   messages/s, the same on Instagram, media/s, private replies/h, calls/s, the same on Instagram, calls/s of an app (0: not
--   counted), margin (seconds)
-- Slots are charged as a GCRA: each says when the next message may come, and of N a second each takes 1/N. Where a burst is
-- allowed the slot may be so far ahead, and the rate is less by the burst: no sliding second, or hour, holds more than N.
local function limits_of(text)
  local n = {}
  for number in string.gmatch(text, '%S+') do
    n[#n + 1] = tonumber(number)
  end
  return {
    pace = n[1], instagram = n[2], m = n[3], p = n[4], calls = n[5], instagram_calls = n[6], app_calls = n[7],
    stretch = 1 + n[8],
  }
end

-- Seconds between two messages of a page. They reach Graph later than they are charged, one more so than the other: N of
-- them span a second and the margin.
local function gap_of(limits, own, instagram, part)
  return limits.stretch / (tonumber(own or (instagram and limits.instagram or limits.pace)) * part)
end

-- The same, of the limits as they are given: begin, which every message passes, needs no more of them.
local function gap_at(text, own, instagram, part)
  local pace, on_instagram, margin = string.match(text, '^(%S+) (%S+).* (%S+)$')
  return (1 + tonumber(margin)) / (tonumber(own or (instagram and on_instagram or pace)) * part)
end

-- Classes have a pace beside the page's own: m media, by the second; p private replies, by the hour, a fifth at once.
-- Answers seconds between two, and how far ahead the slot may be.
local function rate_of(limits, class, own, part)
  if class == 'm' then
    return limits.stretch / (tonumber(own or limits.m) * part), 0
  end
  local burst = math.max(1, math.floor(limits.p / 5))
  local gap = 3600 / (limits.p - burst + 1)
  return gap / part, (burst - 1) * gap
end

-- Charge a call budget of so many calls a second with n of them. Answers its slot after that, and whether they fit in;
-- messages go out even if not, so the debt is bounded.
local function budgeted(slot, calls, n)
  local burst = math.max(1, math.floor(calls / 4))
  local gap = 1 / (calls - burst + 1)
  local after = math.max(now, tonumber(slot or 0)) + n * gap
  return math.min(after, now + 1), after <= now + burst * gap
end

-- What begin asks of a page and its app, read once in a pack: of this only begin itself changes anything, the slot.
local paces = {}
local function pace_of(page, limits)
  local s = redis.call('HMGET', pkey(page), 'paused', 'slot', 'pace', 'sf', 'st', 'ap', 'sd', 'ig', 'oo')
  local app = redis.call('HMGET', appkey(s[6]), 'slot', 'sf', 'st', 'sd')
  local part = math.min(left(s[4], s[5], s[7]), left(app[2], app[3], app[4]))
  paces[page] = {
    paused = s[1], slot = tonumber(s[2] or 0), app_slot = tonumber(app[1] or 0), optouts = s[9], part = part,
    gap = gap_at(limits, s[3], s[8], part),
  }
  return paces[page]
end
