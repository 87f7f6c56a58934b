-- tick: what time brings about. Safe to run at once from any number of schedulers; gated, since a lease that ran out
-- says nothing of what Redis may have lost.
-- KEYS[1] the queue's base. Keys touched: at, due, lease, look, settler, workers, ev, pages, tpl, bells, holds, receipts; c: l: s: k:
--   j: w: p: ats: of what is moved; holds: of pages.
-- ARGV: at most so many of each kind, seconds that an unknown waits for facts, cap of bells, attempts allowed by
--   default, lease (seconds), how long it may wait for its last look (seconds), status ttl, key ttl
-- Answers: jobs entered, due conversations moved, leases run out, the age of the oldest thing moved, and in how long the next
--   job or conversation is due, or "" (both seconds).
-- Bound: O(limit), each with at most 100 cancelled jobs behind it.
-- use: clock event bell pages job line conclude holds
local AGAIN = 15 -- seconds until it is seen again whether a settling job is still looked into
local limit, settle_wait, default_attempts = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local oldest = now

-- Each of what is ripe is taken out right before it is moved.
local function ripe(set, move)
  local found = redis.call('ZRANGEBYSCORE', K .. set, '-inf', stamp(now), 'WITHSCORES', 'LIMIT', 0, limit)
  for i = 1, #found, 2 do
    if redis.call('ZREM', K .. set, found[i]) == 1 then
      oldest = math.min(oldest, tonumber(found[i + 1]))
      move(found[i])
    end
  end
  return #found / 2
end

-- A scheduled job's time has come.
local function enter_line(id)
  local h = header(id)
  if h then
    start(id, h)
  else
    settled(id, nil, 'failed', {error = trouble('its text is no longer in Redis')}, '')
  end
end

-- Whether somebody is there who will look once more: then the look ends it (looked.lua), not the time.
local seen = redis.call('EXISTS', K .. 'settler') == 1
local function looked_into(conv, page, latest)
  return seen and now < latest and by_id(conv) and tonumber(redis.call('HGET', pkey(page), 'blind') or 0) <= now
end

-- A due time has come: a retry goes back to the waiting list, an unknown that no fact settled ends so.
local function resume(conv)
  local state = redis.call('HMGET', ckey(conv), 'pl', 'pg', 'ln', 'us', 'cs', 'st')
  if state[1] == 's' then
    local latest = tonumber(state[4] or now) + tonumber(ARGV[6])
    if looked_into(conv, state[2], latest) then
      redis.call('ZADD', K .. 'due', stamp(math.min(latest, now + AGAIN)), conv)
      redis.call('ZADD', K .. 'look', 'NX', stamp(now), conv) -- its page was blind, and is no more
    else
      conclude(conv, redis.call('LINDEX', K .. 'l:' .. conv, 0), default_attempts)
    end
  elseif state[1] == 'd' then
    -- One that only gave its turn back, to let typing show, has had its turn: behind a page's broadcast it would be typed
    -- to for hours. A retry waits its turn anew.
    wait(conv, state[2], state[5], state[3] or 'b', state[6] == 'queued')
  end
end

-- A lease has run out: its holder died, froze or cannot reach Redis. What he may have begun is never begun again
-- without a fact; what he surely did not begin goes back to its page.
local function rescue(conv)
  local state = redis.call('HMGET', ckey(conv), 'pg', 'a', 'm', 'mid', 'rid', 'ln', 'x', 'hw', 'ra', 'cs', 'kt')
  local page, attempt, id = state[1], tonumber(state[2] or 0), redis.call('LINDEX', K .. 'l:' .. conv, 0)
  if not page then
    return
  end
  tell_calls(conv, id)
  release(conv, page)
  if state[4] then
    local fields = {attempts = attempt, message_id = state[4], recipient_id = state[5] or nil, accepted = state[11] or nil}
    settle(conv, id, page, 'sent', fields, '')
  elseif state[3] then
    local error = trouble('the worker was lost during the message call')
    redis.call('HSET', ckey(conv), 'er', error)
    local proves = now + tonumber(state[8] or settle_wait)
    unsettle(conv, proves)
    event('settling', id, 'a', attempt, 'd', stamp(proves), 'x', error)
  elseif state[7] then
    settle(conv, id, page, 'cancelled', {attempts = attempt, error = trouble('cancelled before the message call')}, '')
  elseif not header(id) then
    vanished(conv, id, page, attempt)
  elseif state[9] then
    withdraw(conv, id, page, tonumber(state[9]))
  elseif attempt >= (tonumber(header(id).attempts) or default_attempts) then
    local error = trouble('every attempt lost its worker before the message call')
    settle(conv, id, page, 'failed', {attempts = attempt, error = error}, '')
  else
    redis.call('HSET', ckey(conv), 'st', 'queued')
    wait(conv, page, state[10], state[6], true)
    event('queued', id, 'a', attempt)
  end
end

local entered, due, lost = ripe('at', enter_line), ripe('due', resume), ripe('lease', rescue)
ripe('holds', lift)

-- A worker not heard of for two leases holds nothing any more; nobody waits for it after a restart.
redis.call('ZREMRANGEBYSCORE', K .. 'workers', '-inf', stamp(now - 2 * tonumber(ARGV[5])))

-- A bell may have been lost, or none was rung: no work without a bell.
if redis.call('LLEN', K .. 'bells') == 0 and work() then
  ring(ARGV[3])
end
local first = ''
for _, set in ipairs({'at', 'due'}) do
  local found = tonumber(redis.call('ZRANGE', K .. set, 0, 0, 'WITHSCORES')[2])
  first = found and math.min(found, first == '' and found or first) or first
end
return {entered, due, lost, stamp(now - oldest), first ~= '' and stamp(math.max(0, first - now)) or ''}
