-- suspect: after a restart of Redis that a worker did not come back from. What may have been begun in the moments that
-- Redis lost waits for facts and ends as unknown; it is never begun again blindly. Runs only while the gate is shut.
-- KEYS[1] the queue's base. Keys touched: lease, due, at, holds, known, doubted, ev, pages; c: l: s: k: j: x: w: p:
--   ats: of what is doubted; optouts: of the pages.
-- ARGV: run id, cursor or "", when the run started (seconds, cut off), seconds that Redis may have lost, seconds to
--   wait for facts, limits (pace.lua) and cap of pages that have none of their own, lease (seconds), status ttl, key ttl
-- Answers: conversations doubted, cursor of the next step or "".
-- Bound: a step looks at some 200 conversations that are held or due, 50 scheduled jobs, or 4 pages; of a page at the
--   front of each of its waiting lists, pace × loss + cap conversations long (entries left behind there, conversations that an
--   operator holds, and people who have opted out not counted).
-- use: clock event pages pace job line standing
if OPEN then
  return {0, ''}
end
local run, cursor, started = ARGV[1], ARGV[2], tonumber(ARGV[3])
local loss, wait = tonumber(ARGV[4]), tonumber(ARGV[5])
local limits, cap0 = limits_of(ARGV[6]), tonumber(ARGV[7])
local earliest = started - loss - tonumber(ARGV[8]) -- what was begun before that is not lost, or long answered
local PATIENCE, CUT = 0.2, 1 -- of a begin, for its slot; `started` is cut off to a second
local moved = 0

-- How many message calls of a page can have begun in the lost moments, and how many of its conversations were claimed.
local function begun(page)
  local p = redis.call('HMGET', pkey(page), 'pace', 'cap', 'ig')
  local pace0 = p[3] and limits.instagram or limits.pace
  local calls = math.ceil(math.max(pace0, tonumber(p[1] or pace0)) * (loss + PATIENCE)) + 1
  return calls, calls + tonumber(p[2] or cap0)
end

-- Jobs behind the head that may have been begun too: not those that entered since the restart.
local function followers(conv, page)
  local state = redis.call('HMGET', ckey(conv), 'ft', 'fn')
  local fresh = tonumber(state[1] or 0) >= started and tonumber(state[2] or 0) or 0
  return math.max(0, math.min((begun(page)), redis.call('LLEN', K .. 'l:' .. conv) - 1 - fresh))
end

-- Whether a conversation was held all through those moments, so that nothing was begun in it: said before them, and not
-- over then. A release counts only when it can no longer be lost.
local function was_held(ho)
  local ends, said = string.match(ho or '', '^(%S+) (%S+)$')
  return ends and tonumber(said) < started and (ends == '-' or tonumber(ends) > started + CUT)
end

-- The head of a conversation is in doubt, and some jobs behind it. Answers whether it is now.
local function suspected(conv)
  local c = ckey(conv)
  for _ = 1, 100 do
    local id = redis.call('LINDEX', K .. 'l:' .. conv, 0)
    local state = redis.call('HMGET', c, 'pl', 'pg', 'm', 'mid', 'rid', 're', 'en', 'a', 'su', 'bg', 'hw', 'sb', 'ho')
    local place, page = state[1], state[2]
    if not id or not place or (place == 'h' and state[6] == run) then
      return false
    end
    if place == 'w' and tonumber(state[7] or 0) >= started then
      return false -- it entered after the restart
    end
    local held = was_held(state[13])
    if held and place ~= 'h' and place ~= 's' then
      return false
    end
    if place == 'h' then
      tell_calls(conv, id)
      release(conv, page)
    end
    -- A head that goes on without a proof (on_unknown="resend") may have doubtful ones behind it from an earlier restart.
    local behind = math.max(held and 0 or followers(conv, page), tonumber(state[9] or 0))
    local since = stamp(math.min(earliest, tonumber(state[12] or earliest)))
    if redis.call('EXISTS', K .. 's:' .. id, K .. 'x:' .. id) > 0 then -- cancelled or moved while it waited
      redis.call('DEL', K .. 'x:' .. id)
      advance(conv, page)
    elseif state[4] then -- sent, and its worker lost: the next one is looked at
      settle(conv, id, page, 'sent', {message_id = state[4], recipient_id = state[5] or nil, attempts = state[8]}, '')
    else
      followed(conv, behind, stamp(now + wait), since)
      if acts(id) and place ~= 'h' then -- a courtesy; those behind it may have been begun now
        return false
      end
      -- What is known of the call that is marked proves nothing: it may have been answered, and another one begun, in the lost
      -- moments. The mark that is left only says when the first was begun.
      -- That a job was put back as missing stays true of it (missing.lua).
      local before = string.match(state[3] or '', '^missing%f[:%z]') or 'lost'
      local mark, proves = before .. ':' .. run, now + math.min(wait, tonumber(state[11] or wait))
      if place == 's' then -- settles already: for longer now
        redis.call('HSET', c, 'm', mark)
        unsettle(conv, proves)
        return false
      end
      doubt(conv, id, mark, proves, state[3] and state[10] or stamp(earliest))
      moved = moved + 1
      return true
    end
  end
  return false
end

local function scanned(set, wanted)
  local found = redis.call('ZSCAN', K .. set, string.match(cursor, '%d+$') or '0', 'COUNT', 200)
  for i = 1, #found[2], 2 do
    if wanted(found[2][i], tonumber(found[2][i + 1])) then
      suspected(found[2][i])
    end
  end
  return found[1] ~= '0' and set .. ':' .. found[1]
end

-- Whether a claim passes by the head without charging the page: the person has opted out, or the job has expired.
local function passed_by(conv, page)
  local h = header(redis.call('LINDEX', K .. 'l:' .. conv, 0) or '')
  return not h or h.expires <= started + CUT or opted_out(true, page, conv)
end

-- The front of a waiting list: as many conversations as can have been claimed.
local function front(queue, lane)
  local _, bound = begun(page_of(queue))
  local met, at = 0, 0
  while met < bound do
    local entries = redis.call('LRANGE', K .. 'w:' .. queue .. ':' .. lane, at, at + 99)
    for _, text in ipairs(entries) do
      local conv, since = entry(text)
      if met < bound and stands(since, redis.call('HGET', ckey(conv), 'wt')) then
        local free = passed_by(conv, page_of(queue))
        if suspected(conv) and not free then
          met = met + 1
        end
      end
    end
    if #entries < 100 then
      return
    end
    at = at + 100
  end
end

local phases = {'lease', 'due', 'at', 'holds', 'known', 'doubted'}
local phase = string.match(cursor, '^%a+') or phases[1]
local after
if phase == 'lease' then
  after = scanned('lease', function() return true end)
elseif phase == 'due' then
  after = scanned('due', function(conv, due)
    return due <= started + CUT or redis.call('HGET', ckey(conv), 'pl') == 's'
  end)
elseif phase == 'holds' then -- parked, unless its hold ended in those moments
  after = scanned('holds', function(_, ends) return ends <= started + CUT end)
elseif phase == 'at' then
  local ids = redis.call('ZRANGEBYSCORE', K .. 'at', '-inf', stamp(started + CUT), 'LIMIT', 0, 50)
  for _, id in ipairs(ids) do
    redis.call('ZREM', K .. 'at', id)
    local h = header(id)
    if h then
      start(id, h)
      redis.call('HDEL', ckey(h.conv), 'en', 'ft', 'fn') -- it may have entered before the restart
      suspected(h.conv)
    else
      settled(id, nil, 'failed', {error = trouble('its text is no longer in Redis')}, '')
    end
  end
  after = #ids == 50 and 'at:'
elseif phase == 'known' then
  local last = string.match(cursor, '^known:(.+)$')
  local pages = redis.call('ZRANGEBYLEX', K .. 'known', last and '(' .. last or '-', '+', 'LIMIT', 0, 4)
  for _, page in ipairs(pages) do
    for _, queue in ipairs({page, page .. '/m', page .. '/p'}) do
      front(queue, 'r')
      front(queue, 'b')
    end
  end
  after = #pages == 4 and 'known:' .. pages[4]
else
  local found = redis.call('SPOP', K .. 'doubted', 100)
  for _, conv in ipairs(found) do
    suspected(conv)
  end
  after = #found == 100 and 'doubted:'
end
if not after then
  for n, name in ipairs(phases) do
    if name == phase then
      after = phases[n + 1] and phases[n + 1] .. ':' or ''
    end
  end
end
return {moved, after}
