-- claim: take up to `want` conversations of pages that may send now, each under a lease with a unique fence.
-- Loaded only by the scheduler that holds the epoch: after a restart of Redis nothing is claimed before the queue
-- has been looked over (PROTOCOL 3.4).
-- KEYS[1] the queue's base. Keys touched: pages, turn, lease, ev, bells, tpl; w: p: c: l: j: r: of what is claimed, p:* of
--   the pages' apps; optouts: of the pages.
-- ARGV: want, fence base (unique to the caller and call), lease (seconds), limits of pages that have none of their own
--   (pace.lua), cap of their calls in flight, cap of bells, status ttl, key ttl
-- Answers: seconds until a page that must wait may send again, or ""; Redis's time; then for each conversation
--   conversation, fence, job id, attempt, when typing_on was made or "", message id or "", token version,
--   what refuses jobs to this person or "", when a call was begun whose answer calls for a look before the next or "",
--   1 if the call budget has no room for typing or "", job
-- Bound: O(want); at most 4 × want + 16 entries are looked at.
-- use: clock event bell pages pace job line standing
local want, base, lease = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local limits, cap0, bells = limits_of(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

-- The queues of each lane that are due, read some at once: the longest due first. One that is due still goes behind all of
-- them, and its hint is written when the next are read, or at the end.
local due, hints, SOME = {}, {r = {}, b = {}}, want + 8
local function write_hints(lane)
  local words = {}
  for queue, hint in pairs(hints[lane]) do
    words[#words + 1], words[#words + 2] = hint, queue
    if #words == 1000 then -- so many go to a function at once
      redis.call('ZADD', K .. 'pages:' .. lane, unpack(words))
      words = {}
    end
  end
  if #words > 0 then
    redis.call('ZADD', K .. 'pages:' .. lane, unpack(words))
  end
  hints[lane] = {}
end

local function read_due(lane)
  write_hints(lane)
  local found = redis.call('ZRANGEBYSCORE', K .. 'pages:' .. lane, '-inf', stamp(now), 'LIMIT', '0', SOME)
  due[lane] = {queues = found, at = 1, read = #found}
  return due[lane]
end

-- The queue whose turn it is: replies first, one turn in ten bulk first. The turns after the first are noted at the end.
local turn, turns, REPLIES_FIRST, BULK_FIRST = nil, 0, {'r', 'b'}, {'b', 'r'}
local function pick()
  turns = turns + 1
  turn = turn and turn + 1 or redis.call('INCR', K .. 'turn')
  for _, lane in ipairs(turn % 10 == 0 and BULK_FIRST or REPLIES_FIRST) do
    local some = due[lane] or read_due(lane)
    if some.at > some.read and some.read == SOME then -- there are more, and these have waited longer
      some = read_due(lane)
    end
    local queue = some.queues[some.at]
    if queue then
      some.at = some.at + 1
      return queue, lane
    end
  end
end

-- From when on a queue with waiting conversations is to be looked at.
local function look_from(queue, lane, seconds)
  hints[lane][queue] = stamp(seconds)
  local some = due[lane]
  if some and seconds <= now then
    some.queues[#some.queues + 1] = queue
  end
end

-- When a queue may be claimed from: its page, its class and its app are free. Of a class nothing is claimed ahead: while it
-- waited in begin, the page's slot would wait with it.
local function opens(p, class)
  return math.max(p.free - AHEAD, class and class.free - class.ahead or 0, p.app.free)
end

-- Whether a queue may not be claimed from now: it is taken from the set, or told when to come back.
local function closed(queue, lane, p, class)
  if p.paused or p.busy >= p.cap then
    withhold(queue, lane) -- resume, or the end of a call, offers it again
    hints[lane][queue] = nil
    if not p.paused then
      redis.call('HSET', pkey(p.page), 'full', 1)
      rooms[p.page] = nil
    end
    return true
  end
  if opens(p, class) > now then
    look_from(queue, lane, opens(p, class)) -- it was only a hint: the other lane's turn moved the time
    return true
  end
  return false
end

-- Within a page too, one claim in ten is for bulk. Answers the lane, and the page's count from now on.
local function share(queue, lane, k)
  if lane == 'r' and k >= 9 and redis.call('EXISTS', K .. 'w:' .. queue .. ':b') == 1 then
    lane = 'b'
  end
  return lane, lane == 'r' and k + 1 or 0
end

-- Hold the head of a conversation; nothing if its entry was left behind, its job was cancelled or has expired, its person
-- has opted out, or an operator holds it: then it is parked, and costs no other claim anything. False if its typing is over
-- and its page has not yet room for one more of these: then the entry is to be put back.
local function hold(text, p, class, lane, fence)
  local page, tv, optouts, returns = p.page, p.tv, p.optouts, (class or p).tfree - AHEAD
  local conv, since = entry(text)
  local c = ckey(conv)
  local state = redis.call('HMGET', c, 'pl', 'ln', 'ty', 'mid', 'a', 'ab', 'cs', 'ho', 'wt')
  if state[1] ~= 'w' or state[2] ~= lane or not stands(since, state[9]) then
    return nil
  end
  local id = redis.call('LINDEX', K .. 'l:' .. conv, '0')
  if not id then
    forget(conv, state[8]) -- a line deleted by hand
    return nil
  end
  if on_hold(state[8]) and not state[4] then
    redis.call('HSET', c, 'pl', 'p')
    return nil
  end
  local found = redis.call('MGET', K .. 'x:' .. id, K .. 'r:' .. conv, K .. 'j:' .. id)
  if found[1] then
    redis.call('DEL', K .. 'x:' .. id)
    advance(conv, page)
    return nil
  end
  local h = header_in(found[3] or '')
  if not h then
    vanished(conv, id, page, state[5])
    return nil
  end
  if h.version > FORMAT then
    postpone(conv, 'd', 'queued', now + 1) -- a newer worker's job
    return nil
  end
  if h.expires <= now and not state[4] then
    local error = trouble('expired before a message call')
    settle(conv, id, page, 'expired', {attempts = state[5] or nil, error = error}, '')
    return nil
  end
  if not state[4] and opted_out(optouts, page, conv) and not option(h, 'oi') then
    settle(conv, id, page, 'failed', {attempts = state[5] or nil, error = trouble('no call made: the person has opted out')}, '')
    return nil
  end
  if state[3] and returns > now then
    return false
  end
  local attempt = tonumber(state[5] or 0) + 1
  redis.call('HSET', c, 'pl', 'h', 'st', 'sending', 'f', fence, 'a', attempt)
  redis.call('ZADD', K .. 'lease', stamp(now + lease), conv)
  event('sending', id, 'a', attempt)
  local held = {conv, fence, id, attempt, state[3] or '', state[4] or '', tv, found[2] or '', state[6] or '', '', found[3]}
  local acts = option(h, 'act')
  held.share = acts and 1 / 3 or 1 -- of the pace: one call, where a message brings its typing with it
  held.class = state[7]
  -- One that comes back has paid for its calls; it may have to repeat typing_on.
  held.calls = (acts or state[3]) and 1 or tonumber(option(h, 'n')) or by_id(conv) and 3 or 1
  held.typing = state[3] ~= nil and state[3] ~= false
  return held
end

-- What holds for all pages of an app, read once for each.
local apps = {}
local function app_of(name)
  name = name or ''
  if not apps[name] then
    local state = redis.call('HMGET', appkey(name), 'free', 'sf', 'st', 'sd', 'calls')
    apps[name] = {name = name, free = tonumber(state[1] or 0), left = left(state[2], state[3], state[4]), calls = state[5]}
  end
  return apps[name]
end

-- What a page says, read once: what claims change of it is written when all are made.
local pages = {}
local function page_at(name)
  if not pages[name] then
    local s = redis.call('HMGET', pkey(name),
      'paused', 'busy', 'cap', 'free', 'pace', 'k', 'tv', 'sf', 'st', 'ap', 'sd', 'ig', 'calls', 'oo', 'tfree')
    local app = app_of(s[10])
    local part = math.min(left(s[8], s[9], s[11]), app.left)
    pages[name] = {
      page = name, paused = s[1], busy = tonumber(s[2] or 0), cap = tonumber(s[3] or cap0), free = tonumber(s[4] or 0),
      k = tonumber(s[6] or 0), tv = s[7] or '0', app = app, part = part, calls = s[13], optouts = s[14],
      budget = s[12] and limits.instagram_calls or limits.calls, gap = gap_of(limits, s[5], s[12], part),
      tfree = tonumber(s[15] or 0), classes = {},
    }
  end
  return pages[name]
end

-- The same of a class of a page.
local function class_at(p, letter)
  if letter and not p.classes[letter] then
    local s = redis.call('HMGET', pkey(p.page), letter .. 'free', letter .. 'pace', letter .. 'tfree')
    local gap, ahead = rate_of(limits, letter, s[2], p.part)
    p.classes[letter] = {letter = letter, free = tonumber(s[1] or 0), tfree = tonumber(s[3] or 0), gap = gap, ahead = ahead}
  end
  return letter and p.classes[letter]
end

-- The call budgets of page and app are charged for the whole job. Where they have no room for its courtesies these are left
-- out; a message goes in any case.
local function budget(p, held)
  local slot, fits = budgeted(p.calls, p.budget, held.calls)
  local app_slot, app_fits = nil, true
  if limits.app_calls > 0 then
    app_slot, app_fits = budgeted(p.app.calls, limits.app_calls, held.calls)
  end
  if held.calls > 1 and not held.typing and not (fits and app_fits) then
    held[10] = '1'
    slot = budgeted(p.calls, p.budget, 1)
    app_slot = app_slot and budgeted(p.app.calls, limits.app_calls, 1)
  end
  if app_slot then
    p.app.calls = stamp(app_slot)
    redis.call('HSET', appkey(p.app.name), 'calls', p.app.calls)
  end
  return stamp(slot)
end

-- What was charged is written with what else has changed.
local function charged(whose, field, seconds)
  whose[field] = seconds
  whose.charged = whose.charged or {}
  whose.charged[field] = true
end

-- A job is charged when it is first claimed. One that comes back from its pause for typing, or from a begin that said
-- "pace", is charged apart: else such jobs would go out at half the pace, and all at once after a stop if at no charge.
local function charge(p, class, held)
  p.busy, p.calls, p.holds = p.busy + 1, budget(p, held), true
  if held.typing then
    local whose = class or p
    charged(whose, 'tfree', math.max(now, whose.tfree) + whose.gap)
    return
  end
  charged(p, 'free', math.max(now, p.free) + held.share * p.gap)
  if class and held.class == class.letter then
    charged(class, 'free', math.max(now, class.free) + class.gap)
  end
end

local function write(p)
  local fields = {'k', p.k}
  if p.holds then
    fields = {'k', p.k, 'busy', p.busy, 'room', p.cap, 'calls', p.calls}
    rooms[p.page] = nil
  end
  for field in pairs(p.charged or {}) do
    fields[#fields + 1] = field
    fields[#fields + 1] = stamp(p[field])
  end
  for letter, class in pairs(p.classes) do
    for field in pairs(class.charged or {}) do
      fields[#fields + 1] = letter .. field
      fields[#fields + 1] = stamp(class[field])
    end
  end
  redis.call('HSET', pkey(p.page), unpack(fields))
end

local taken = {}
for look = 1, 4 * want + 16 do
  if #taken == want then
    break
  end
  local queue, lane = pick()
  if not queue then
    break
  end
  local p = page_at(page_of(queue))
  local class = class_at(p, string.match(queue, '/(.)$'))
  if not closed(queue, lane, p, class) then
    local from, k = lane, nil
    lane, k = share(queue, lane, p.k)
    local list = K .. 'w:' .. queue .. ':' .. lane
    local first = redis.call('LPOP', list)
    local held, again = nil, now
    if first then
      p.k, p.looked = k, true
      held = hold(first, p, class, lane, base .. ':' .. look)
    end
    if held then
      taken[#taken + 1] = held
      charge(p, class, held)
    elseif held == false then
      redis.call('LPUSH', list, first)
      again = (class or p).tfree - AHEAD
    end
    again = math.max(again, opens(p, class) + 1e-6) -- behind the page's other queues, which wait for the same moment
    if not first or ((again > now or #taken == want) and redis.call('EXISTS', list) == 0) then
      withhold(queue, lane)
      hints[lane][queue] = nil
    elseif lane == from then
      look_from(queue, lane, again)
    else -- what it gave to the other lane does not cost it the turn in its own
      hints[lane][queue] = stamp(again)
      due[from].at = due[from].at - 1
    end
  end
end

for _, p in pairs(pages) do
  if p.looked then
    write(p)
  end
end
if turns > 1 then
  redis.call('INCRBY', K .. 'turn', turns - 1)
end
write_hints('r')
write_hints('b')
if #taken == want and work() then
  ring(bells) -- ring forward: there is work for another drain
end
local soonest = ''
for _, lane in ipairs({'r', 'b'}) do
  local first = redis.call('ZRANGE', K .. 'pages:' .. lane, 0, 0, 'WITHSCORES')[2]
  if first and (soonest == '' or tonumber(first) < soonest) then
    soonest = tonumber(first)
  end
end
if soonest ~= '' then
  soonest = stamp(math.max(0, soonest - now))
end
table.insert(taken, 1, soonest)
table.insert(taken, 2, stamp(now))
return taken
