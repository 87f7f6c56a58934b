-- claim: take up to `want` conversations of pages that may send now, each under a lease with a unique fence.
-- Loaded only by the scheduler that holds the epoch: after a restart of Redis nothing is claimed before the queue
-- has been looked over (PROTOCOL 3.4).
-- KEYS[1] the queue's base. Keys touched: pages, turn, lease, ev, bells, tpl; w: p: c: l: j: r: of what is claimed, p:* of
--   the pages' apps; optouts: of the pages.
-- ARGV: want, fence base (unique to the caller and call), lease (seconds), pace and cap of pages that have none of
--   their own, cap of bells, status ttl, key ttl
-- Answers: seconds until a page that must wait may send again, or ""; Redis's time; then for each conversation
--   conversation, fence, job id, attempt, when typing_on was made or "", message id or "", token version,
--   what refuses jobs to this person or "", when a call was begun whose answer calls for a look before the next or "",
--   job
-- Bound: O(want); at most 4 × want + 16 entries are looked at.
-- use: clock event bell pages job line standing
local want, base, lease = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local pace0, cap0, bells = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

-- The page whose turn it is: replies first, one turn in ten bulk first.
local function pick()
  local order = {'r', 'b'}
  if redis.call('INCR', K .. 'turn') % 10 == 0 then
    order = {'b', 'r'}
  end
  for _, lane in ipairs(order) do
    local page = redis.call('ZRANGEBYSCORE', K .. 'pages:' .. lane, '-inf', stamp(now), 'LIMIT', 0, 1)[1]
    if page then
      return page, lane
    end
  end
end

-- Why a page may not be claimed from now: it is taken from the set, or told when to come back.
local function closed(page, lane, p)
  local set = K .. 'pages:' .. lane
  if p.paused or p.busy >= p.cap then
    redis.call('ZREM', set, page) -- resume, or the end of a call, offers it again
    return true
  end
  local opens = math.max(p.free - AHEAD, p.app.free)
  if opens > now then
    redis.call('ZADD', set, stamp(opens), page) -- the score was only a hint (the other lane's turn moved the time)
    return true
  end
  return false
end

-- Within a page too, one claim in ten is for bulk.
local function share(page, lane, k)
  if lane == 'r' and k >= 9 and redis.call('EXISTS', K .. 'w:' .. page .. ':b') == 1 then
    lane = 'b'
  end
  if lane == 'r' then
    redis.call('HINCRBY', pkey(page), 'k', 1)
  else
    redis.call('HSET', pkey(page), 'k', 0)
  end
  return lane
end

-- Hold the head of a conversation; nothing if its entry was left behind, its job was cancelled or has expired, its person
-- has opted out, or an operator holds it: then it is parked, and costs no other claim anything.
local function hold(conv, page, lane, tv, fence, optouts)
  local c = ckey(conv)
  local state = redis.call('HMGET', c, 'pl', 'ln', 'ty', 'mid', 'a', 'ab', 'ho')
  if state[1] ~= 'w' or state[2] ~= lane then
    return nil
  end
  local id = redis.call('LINDEX', K .. 'l:' .. conv, 0)
  if not id then
    forget(conv, state[7]) -- a line deleted by hand
    return nil
  end
  if on_hold(state[7]) and not state[4] then
    redis.call('HSET', c, 'pl', 'p')
    return nil
  end
  if redis.call('DEL', K .. 'x:' .. id) == 1 then
    advance(conv, page, false)
    return nil
  end
  local h = header(id)
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
  local attempt = redis.call('HINCRBY', c, 'a', 1)
  redis.call('HSET', c, 'pl', 'h', 'st', 'sending', 'f', fence)
  redis.call('ZADD', K .. 'lease', stamp(now + lease), conv)
  redis.call('HINCRBY', pkey(page), 'busy', 1)
  event('sending', id, 'a', attempt)
  local refusal = redis.call('GET', K .. 'r:' .. conv) or ''
  local job = redis.call('GET', K .. 'j:' .. id)
  local held = {conv, fence, id, attempt, state[3] or '', state[4] or '', tv, refusal, state[6] or '', job}
  held.share = option(h, 'act') and 1 / 3 or 1 -- of the pace: one call, where a message brings its typing with it
  return held
end

-- What holds for all pages of an app, read once for each.
local apps = {}
local function app_of(name)
  name = name or ''
  if not apps[name] then
    local state = redis.call('HMGET', appkey(name), 'free', 'sf', 'st', 'sd')
    apps[name] = {free = tonumber(state[1] or 0), left = left(state[2], state[3], state[4])}
  end
  return apps[name]
end

local taken = {}
for look = 1, 4 * want + 16 do
  if #taken == want then
    break
  end
  local page, lane = pick()
  if not page then
    break
  end
  local state = redis.call('HMGET', pkey(page),
    'paused', 'busy', 'cap', 'free', 'pace', 'k', 'tv', 'sf', 'st', 'ap', 'sd', 'oo')
  local p = {
    paused = state[1], busy = tonumber(state[2] or 0), cap = tonumber(state[3] or cap0),
    free = tonumber(state[4] or 0), pace = tonumber(state[5] or pace0), k = tonumber(state[6] or 0),
    app = app_of(state[10]),
  }
  if not closed(page, lane, p) then
    lane = share(page, lane, p.k)
    local conv = redis.call('LPOP', K .. 'w:' .. page .. ':' .. lane)
    local held = conv and hold(conv, page, lane, state[7] or '0', base .. ':' .. look, state[12])
    if held then
      taken[#taken + 1] = held
      p.free = math.max(now, p.free) + held.share / (p.pace * math.min(left(state[8], state[9], state[11]), p.app.left))
      redis.call('HSET', pkey(page), 'free', stamp(p.free))
    end
    if redis.call('EXISTS', K .. 'w:' .. page .. ':' .. lane) == 0 then
      redis.call('ZREM', K .. 'pages:' .. lane, page)
    else
      redis.call('ZADD', K .. 'pages:' .. lane, stamp(math.max(now, p.free - AHEAD)), page)
    end
  end
end

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
