-- begin: the last question before a message call. Marks the call as in flight before it answers. It never takes the
-- conversation from its holder: what a "no" brings about, he does by `done`.
-- KEYS[1] the queue's base. Keys touched: lease, ev; c: in: of the conversation; p: of the page and its app; optouts: of
--   the page.
-- ARGV: conversation, fence, job id, lease (seconds, or "": it runs on as it is), limits (pace.lua), expires (seconds),
--   when typing_on was made or "", calls of this attempt so far (JSON or ""), the longest wait the caller may make (seconds), how long
--   absence proves nothing after a call that is not answered (seconds), how long after the person was heard of the
--   message may go out (seconds, or "": however long), its classes (pace.lua), by their letters, 1 if it came too late to
--   the slot that it got (else 0): it was surely not made, and is asked for anew, 1 if the job goes to people
--   who have opted out too (else 0)
-- Answers {"go", seconds to wait first, its slot (seconds)} | {"sent", message id}
--   | {"no", "cancelled" | "expired" | "opted_out" | "window" | "held" | "paused" | "rescheduled" | "gate"}
--   | {"no", "pace", seconds} | {"stale"}
-- Asked again by the same holder (its answer was lost), it answers the same, and charges nothing twice but for a late one.
-- use: clock event pages pace window standing
local BLINK = 0.02 -- seconds
local conv, fence, id, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]) -- no lease: nil
local expires, typed, calls, patience = tonumber(ARGV[6]), ARGV[7], ARGV[8], tonumber(ARGV[9])
local c = K .. 'c:' .. conv
local state = redis.call('HMGET', c, 'f', 'pg', 'x', 'mid', 'a', 'm', 'lf', 'ab', 'ra', 'ho')
local page, attempt = state[2], state[5]
if state[1] ~= fence then
  if calls ~= '' then
    event('note', id, 'c', calls)
  end
  return {'stale'}
end

-- What is noted of the conversation is written at the end, all at once.
local noted = {}
local function note(field, value)
  noted[#noted + 1] = field
  noted[#noted + 1] = value
end

if calls ~= '' then -- told with how the attempt ends, or where its lease runs out
  note('kc', calls)
  note('lf', fence .. ' begin')
end
if typed ~= '' then
  note('ty', typed)
end

local function renew()
  if lease then
    redis.call('ZADD', K .. 'lease', stamp(now + lease), conv)
  end
end

local function decide()
  if state[4] then -- a fact was faster: sent before, by a holder whose lease ran out
    return {'sent', state[4]}
  end
  if not OPEN then -- a later holder of this job may not have come back yet
    return {'no', 'gate'}
  end
  local p = paces[page] or pace_of(page, ARGV[5])
  local part, gap = p.part, p.gap
  if state[6] == fence and ARGV[13] ~= '1' then -- its slot was charged when it first asked, no later than the last one charged
    renew()
    local wait = math.max(0, math.min(patience, p.slot - gap - now))
    return {'go', stamp(wait), stamp(now + wait)}
  end
  if state[3] then
    return {'no', 'cancelled'}
  end
  if state[9] then
    return {'no', 'rescheduled'}
  end
  if expires <= now then
    return {'no', 'expired'}
  end
  if ARGV[14] ~= '1' and opted_out(p.optouts, page, conv) then
    return {'no', 'opted_out'}
  end
  if ARGV[11] ~= '' and closed_since(conv, ARGV[11]) then
    return {'no', 'window'}
  end
  if on_hold(state[10]) then -- it is given back, and parked by the next claim
    return {'no', 'held'}
  end
  if p.paused then
    return {'no', 'paused'}
  end
  -- The pace is charged here and not at claim: typing pauses would bunch the calls of different seconds.
  local slot = math.max(now, p.slot, p.app_slot)
  local classes = {}
  for class in string.gmatch(ARGV[12], '.') do
    local own = redis.call('HMGET', pkey(page), class .. 'slot', class .. 'pace', class .. 'free')
    local between, ahead = rate_of(limits_of(ARGV[5]), class, own[2], part)
    local taken = tonumber(own[1] or 0)
    if taken - ahead > slot + math.max(gap, BLINK) then -- so many slots of the page would be lost to others
      redis.call('HSET', pkey(page), class .. 'free', stamp(tonumber(own[3] or 0) - between)) -- it is claimed once more
      return {'no', 'pace', stamp(taken - ahead - now)}
    end
    slot = math.max(slot, taken - ahead)
    classes[#classes + 1] = {class .. 'slot', taken, between}
  end
  if slot - now > patience then
    return {'no', 'pace', stamp(slot - now)}
  end
  p.slot = slot + gap
  redis.call('HSET', pkey(page), 'slot', stamp(p.slot))
  for _, class in ipairs(classes) do
    redis.call('HSET', pkey(page), class[1], stamp(math.max(slot, class[2]) + class[3]))
  end
  note('m', fence)
  note('bg', state[8] or stamp(now))
  note('hw', ARGV[10])
  renew()
  return {'go', stamp(slot - now), stamp(slot)}
end

local answer = decide()
if #noted > 0 then
  redis.call('HSET', c, unpack(noted))
end
return answer
