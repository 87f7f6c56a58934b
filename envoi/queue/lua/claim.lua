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
-- use: clock event bell pages pace job line standing due charge
local want, base, lease, bells = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[6]
local pick, look_from, drop, gave, write_hints = due_queues(want)
local page_at, class_at, charge, write_pages = charges(limits_of(ARGV[4]), tonumber(ARGV[5]))

-- When a queue may be claimed from: its page, its class and its app are free. Of a class nothing is claimed ahead: while it
-- waited in begin, the page's slot would wait with it.
local function opens(p, class)
  return math.max(p.free - AHEAD, class and class.free - class.ahead or 0, p.app.free)
end

-- Whether a queue may not be claimed from now: it is taken from the set, or told when to come back.
local function closed(queue, lane, p, class)
  if p.paused or p.busy >= p.cap then
    drop(queue, lane) -- resume, or the end of a call, offers it again
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
      drop(queue, lane)
    elseif lane == from then
      look_from(queue, lane, again)
    else -- what it gave to the other lane does not cost it the turn in its own
      gave(queue, from, lane, again)
    end
  end
end

write_pages()
write_hints()
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
