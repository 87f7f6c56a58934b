-- tick: what time brings about. Safe to run at once from any number of schedulers.
-- KEYS[1] the queue's base. Keys touched: at, due, lease, ev, pages, tpl, bells; c: l: s: k: j: w: p: of what is moved.
-- ARGV: at most so many of each kind, seconds that an unknown waits for facts, cap of bells, attempts allowed by
--   default, status ttl, key ttl
-- Answers: jobs entered, due conversations moved, leases run out, and the age of the oldest thing moved (seconds).
-- use: clock event bell pages job line
local limit, settle_wait, default_attempts = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local oldest = now

local function ripe(set)
  local found = redis.call('ZRANGEBYSCORE', K .. set, '-inf', stamp(now), 'WITHSCORES', 'LIMIT', 0, limit)
  local members = {}
  for i = 1, #found, 2 do
    members[#members + 1] = found[i]
    oldest = math.min(oldest, tonumber(found[i + 1]))
    redis.call('ZREM', K .. set, found[i])
  end
  return members
end

-- A scheduled job enters its line at its time: order is the order of entering.
local starting = ripe('at')
for _, id in ipairs(starting) do
  event('queued', id)
  enter(id, header(id))
end

-- A due time has come: a retry goes back to the waiting list, an unknown that no fact settled ends so.
local due = ripe('due')
for _, conv in ipairs(due) do
  local state = redis.call('HMGET', ckey(conv), 'pl', 'pg', 'ln', 'a')
  if state[1] == 's' then
    local id = redis.call('LINDEX', K .. 'l:' .. conv, 0)
    local error = cjson.encode({message = 'no answer that says whether the message was sent'})
    settle(conv, id, state[2], 'unknown', {attempts = state[4], error = error})
  elseif state[1] == 'd' then
    wait(conv, state[2], state[3])
  end
end

-- A lease has run out: its holder died, froze or cannot reach Redis. What he may have begun is never begun again
-- without a fact; what he surely did not begin goes back to its page.
local lost = ripe('lease')
for _, conv in ipairs(lost) do
  local state = redis.call('HMGET', ckey(conv), 'pg', 'a', 'm', 'mid', 'rid', 'ln', 'x')
  local page, attempt, id = state[1], tonumber(state[2]), redis.call('LINDEX', K .. 'l:' .. conv, 0)
  release(conv, page)
  if state[4] then
    settle(conv, id, page, 'sent', {attempts = attempt, message_id = state[4], recipient_id = state[5]})
  elseif state[3] then
    local error = cjson.encode({message = 'the worker was lost during the message call'})
    postpone(conv, 's', 'settling', now + settle_wait)
    event('settling', id, 'a', attempt, 'd', stamp(now + settle_wait), 'x', error)
  elseif state[7] then
    local error = cjson.encode({message = 'cancelled before the message call'})
    settle(conv, id, page, 'cancelled', {attempts = attempt, error = error})
  elseif attempt >= (tonumber(header(id).attempts) or default_attempts) then
    local error = cjson.encode({message = 'every attempt lost its worker before the message call'})
    settle(conv, id, page, 'failed', {attempts = attempt, error = error})
  else
    redis.call('HSET', ckey(conv), 'st', 'queued')
    wait(conv, page, state[6], true)
    event('queued', id, 'a', attempt)
  end
end

-- A bell may have been lost, or none was rung: no work without a bell.
if redis.call('LLEN', K .. 'bells') == 0 and work() then
  ring(ARGV[3])
end
return {#starting, #due, #lost, stamp(now - oldest)}
