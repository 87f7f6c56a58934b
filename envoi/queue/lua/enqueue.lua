-- enqueue: take jobs, all of them or none.
-- KEYS[1] the queue's base. Keys touched: epoch, full, proto, ev, x, tasks; out: of its options; j: k: s: l: c: w: p: in: of the
--   jobs, ats: optouts: too; pages, at, tpl, bells.
-- ARGV: cap of unlogged events and of unread outcomes, cap of bells, then for each job
--   id, lane (r|b), key digest or -, content digest, expires (seconds, or "" with an age), age (seconds), attempts or -,
--   conversation, at (seconds or ""), payload, options (job.lua; "" for none)
-- Answers the id of each job: its own, or that of the first job with the same key.
-- Bound: O(jobs), which the client keeps to some hundreds.
-- use: clock event bell pages job line window standing
local state = redis.call('MGET', K .. 'epoch', K .. 'full', K .. 'proto')
if not state[1] then
  return redis.error_reply('RECOVERING no scheduler has opened this queue')
end
if tonumber(state[3] or PROTOCOL) > PROTOCOL + 1 then
  return redis.error_reply('TOOOLD ' .. state[3] .. ' ' .. PROTOCOL)
end
local door = state[2] -- a scheduler's word
if door == 'evicts' then
  return redis.error_reply('QUEUEFULL this Redis would drop jobs (maxmemory-policy): set it to noeviction')
elseif door then -- what is enqueued needs room to be delivered and logged
  return redis.error_reply('QUEUEFULL the memory of Redis is nearly used up')
end
local WIDTH = 11
local jobs = (#ARGV - 2) / WIDTH
if redis.call('XLEN', K .. 'ev') + jobs > tonumber(ARGV[1]) then
  return redis.error_reply('QUEUEFULL the log is too far behind')
end

-- What became of these jobs will be told to apps that may have stopped listening: their streams are bounded here, where
-- it can be said, and never by dropping what was not read.
for n = 0, jobs - 1 do
  local options = ARGV[2 + n * WIDTH + 11]
  local out = options ~= '' and option({options = options}, 'out')
  if out and redis.call('XLEN', outcome_stream(out)) >= tonumber(ARGV[1]) then
    return redis.error_reply('QUEUEFULL outcomes wait unread: ' .. string.match(out, '^[^,]+'))
  end
end

-- Whether a page has anybody who has opted out, asked once for each.
local optouts = {}
local function opt_outs_of(page)
  if optouts[page] == nil then
    optouts[page] = redis.call('EXISTS', K .. 'optouts:' .. page) == 1
  end
  return optouts[page]
end

-- Since when the window is closed for a job, asked once for each conversation: many write several messages in a row.
local windows = {}
local function shut_since(conv, rule)
  local name = conv .. ' ' .. rule
  if windows[name] == nil then
    windows[name] = closed_since(conv, rule) or false
  end
  return windows[name]
end

-- First every key, so that a conflict leaves nothing behind; two jobs of one call may share a key too.
local ids, claimed = {}, {}
for n = 0, jobs - 1 do
  local at = 2 + n * WIDTH
  local id, key, digest, conv = ARGV[at + 1], ARGV[at + 3], ARGV[at + 4], ARGV[at + 8]
  ids[n + 1] = id
  if key ~= '-' then
    local name = K .. 'k:' .. string.match(conv, '^[^/]+') .. ':' .. key
    local taken = claimed[name] or redis.call('GET', name)
    if taken then
      local first, content = string.match(taken, '^(%S+) (%S+)$')
      if content ~= digest then
        return redis.error_reply('KEYCONFLICT ' .. n .. ' ' .. first)
      end
      ids[n + 1] = first
    else
      claimed[name] = id .. ' ' .. digest
    end
  end
  -- A job whose time comes later is looked at then: the person may write until then. A repeat of this call may go on.
  local rule = (tonumber(ARGV[at + 9]) or now) <= now and string.match(';' .. ARGV[at + 11] .. ';', ';w=(%d+);')
  local since = rule and ids[n + 1] == id and shut_since(conv, rule)
  if since and redis.call('EXISTS', K .. 'j:' .. id, K .. 's:' .. id) == 0 then
    return redis.error_reply('WINDOWCLOSED ' .. n .. ' ' .. rule .. ' ' .. stamp(since))
  end
  local page = string.match(conv, '^[^/]+')
  if ids[n + 1] == id and opted_out(opt_outs_of(page), page, conv)
    and not string.find(';' .. ARGV[at + 11] .. ';', ';oi=1;', 1, true)
    and redis.call('EXISTS', K .. 'j:' .. id, K .. 's:' .. id) == 0 then
    return redis.error_reply('OPTEDOUT ' .. n)
  end
end

for name, taken in pairs(claimed) do
  redis.call('SET', name, taken)
end
local entered = false
for n = 0, jobs - 1 do
  local at = 2 + n * WIDTH
  local id = ARGV[at + 1]
  -- A repeat of this very call (its answer was lost) finds the job there, or settled: nothing is enqueued twice.
  if ids[n + 1] == id and redis.call('EXISTS', K .. 'j:' .. id, K .. 's:' .. id) == 0 then
    local starts = tonumber(ARGV[at + 9]) or now
    local expires = tonumber(ARGV[at + 5]) or math.max(now, starts) + tonumber(ARGV[at + 6])
    local format = string.find(';' .. ARGV[at + 11] .. ';', ';act=', 1, true) and FORMAT or 1
    local h = {lane = ARGV[at + 2], conv = ARGV[at + 8], options = ARGV[at + 11]}
    local line = table.concat({format, h.lane, ARGV[at + 3], stamp(expires), ARGV[at + 7], h.conv}, ' ')
    if h.options ~= '' then
      line = line .. ' ' .. h.options
    end
    redis.call('SET', K .. 'j:' .. id, line .. '\n' .. ARGV[at + 10])
    if starts > now then
      schedule(id, starts)
    else
      event('queued', id)
      h.page = string.match(h.conv, '^[^/]+')
      enter(id, h)
      entered = true
    end
  end
end
if entered then
  ring(ARGV[2])
end
return ids
