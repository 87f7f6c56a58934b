-- reschedule: a job enters its line at another time, as long as its message call has not begun. Who waits in line leaves it
-- and enters it again at the end.
-- KEYS[1] the queue's base. Keys touched: at, due, ev, pages, tpl, bells; c: l: s: j: x: w: p: of the conversation.
-- ARGV: job id, its new time (seconds), when it expires at the latest or "", age at which it expires if nothing says
--   sooner or "" (both seconds), cap of bells
-- Answers "scheduled" | "queued" (that time has come) | "pending" (held: decided at begin) | "too_late". Gated, as cancel is.
-- Bound: its place is looked for among the first and last DEEP jobs of its line.
-- use: clock event bell pages job line
local DEEP = 10000
local id, starts = ARGV[1], math.max(now, tonumber(ARGV[2]))
if redis.call('EXISTS', K .. 's:' .. id) == 1 then
  return 'too_late'
end
local h = header(id)
if not h then
  return redis.error_reply('UNKNOWNJOB no job ' .. id)
end
local expires = math.min(tonumber(ARGV[3]) or math.huge, ARGV[4] ~= '' and starts + tonumber(ARGV[4]) or math.huge)
if expires <= starts then
  return redis.error_reply('EXPIRESBEFORE ' .. stamp(expires))
end

-- Its text is written once more, with the end of its new life.
local function lives_until()
  local text = redis.call('GET', K .. 'j:' .. id)
  local before, after = string.match(text, '^(%d+ [rb] %S+ )%S+(.*)$')
  redis.call('SET', K .. 'j:' .. id, before .. stamp(expires) .. after)
end

local function moved()
  lives_until()
  if starts > now then
    schedule(id, starts)
    return 'scheduled'
  end
  start(id, h)
  ring(ARGV[5])
  return 'queued'
end

if unschedule(id) then
  return moved()
end
local conv, line = h.conv, K .. 'l:' .. h.conv
local c = ckey(conv)
if redis.call('LINDEX', line, 0) == id then
  local state = redis.call('HMGET', c, 'pl', 'm', 'mid', 'ab', 'cl', 'a', 'x', 'su')
  local begun = state[2] or state[3] or state[4] or state[5] or state[1] == 's' or tonumber(state[8] or 0) > 0
  if state[1] == 'h' and not begun and not state[7] then
    if tonumber(state[6] or 0) > 1 then
      return 'too_late' -- an earlier attempt has made its call
    end
    lives_until()
    redis.call('HSET', c, 'ra', stamp(starts))
    return 'pending'
  end
  if begun or state[1] == 'h' or tonumber(state[6] or 0) > 0 then
    return 'too_late'
  end
  advance(conv, h.page, h)
  return moved()
end
local doubted = tonumber(redis.call('HGET', c, 'su') or 0) -- behind the head: begun perhaps, in moments that Redis lost
if doubted > 0 and redis.call('LPOS', line, id, 'MAXLEN', doubted + 1) then
  return 'too_late'
end
local place = redis.call('LPOS', line, id, 'MAXLEN', DEEP) or redis.call('LPOS', line, id, 'RANK', -1, 'MAXLEN', DEEP)
if not place then
  return redis.error_reply('TOODEEP ' .. DEEP)
end
-- What it leaves behind in the line is skipped as a cancelled job is. It has a name of its own: the job comes back.
local gap = id .. '~' .. stamp(now)
redis.call('LSET', line, place, gap)
redis.call('SET', K .. 'x:' .. gap, 1)
if h.lane == 'r' then
  redis.call('HINCRBY', c, 'nr', -1)
end
return moved()
