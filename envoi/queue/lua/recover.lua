-- recover: put jobs back that the log holds and a wiped Redis lost, in the order given, and at the end open the queue.
-- Only while there is no epoch: nobody enqueues and nobody claims meanwhile, facts are taken as ever.
-- KEYS[1] the queue's base. Keys touched: recover, recover:doubt, epoch, at, due, known, pages, ev; j: k: s: l: c: w: p: ats:
--   of the jobs.
-- ARGV: op, token of the caller, lease (milliseconds), run id, then for put: seconds to wait for facts, and for each job
--   id, place, due (seconds, or ""), attempts, error (JSON or ""), jobs behind it that may have been begun too, since when
--   it may have been begun (seconds), key digest or -, content digest, conversation, text (header line and payload)
--   and last status ttl, key ttl
--   place w  waits for its page         d  is tried again at `due`      a  enters its line at `due`
--         s  may have been begun: facts are waited for if it heads its line; behind another head it waits
--         x  its text is lost: it ends as unknown
--   op begin   take the lease    put   put jobs back     finish   the queue is whole: store the epoch, let go
-- Answers {"ok", jobs put back, heads in doubt} | {"busy"}: somebody else recovers | {"open"}: there is an epoch.
-- Bound: O(jobs). Said again it changes nothing: a job that is there, or settled, is left as it is.
-- use: clock event pages job line
local op, token, run = ARGV[1], ARGV[2], ARGV[4]
if redis.call('EXISTS', K .. 'epoch') == 1 then
  return {'open'}
end
local holder = redis.call('GET', K .. 'recover')
if (holder and holder ~= token) or not string.find(redis.call('INFO', 'server'), 'run_id:' .. run, 1, true) then
  return {'busy'}
end
if op == 'finish' then
  redis.call('DEL', K .. 'recover', K .. 'recover:doubt')
  redis.call('SET', K .. 'epoch', run)
  return {'ok', 0, 0}
end
redis.call('SET', K .. 'recover', token, 'PX', ARGV[3])
if op == 'begin' then
  return {'ok', 0, 0}
end
local WIDTH, doubts = 11, K .. 'recover:doubt'
local ends, put, doubted = now + tonumber(ARGV[5]), 0, 0

-- One more job behind a head in doubt may have been begun as well.
local function budget(conv)
  local left = tonumber(redis.call('HGET', doubts, conv) or 0)
  if left > 0 then
    redis.call('HINCRBY', doubts, conv, -1)
  end
  return left > 0
end

local function head(id, h, place, due, attempts, error, behind, begun)
  local c = ckey(h.conv)
  local class = class_of(h)
  redis.call('HSET', c, 'pg', h.page, 'st', 'queued', 'ln', h.lane)
  if class then
    redis.call('HSET', c, 'cs', class)
  end
  if attempts > 0 then
    redis.call('HSET', c, 'a', attempts)
  end
  if budget(h.conv) or place == 's' then
    redis.call('HSET', c, 'sd', stamp(ends), 'sb', begun) -- for those behind it, which were begun later
    doubt(h.conv, id, 'lost:' .. run, ends, begun)
    if behind > 0 then
      redis.call('HSET', doubts, h.conv, behind)
    end
    doubted = doubted + 1
  elseif place == 'd' then
    redis.call('HSET', c, 'er', error)
    postpone(h.conv, 'd', 'retrying', due)
  else
    wait(h.conv, h.page, class, h.lane)
  end
end

local function follow(h)
  local c = ckey(h.conv)
  local state = redis.call('HMGET', c, 'pl', 'ln', 'cs')
  if budget(h.conv) then
    redis.call('HINCRBY', c, 'su', 1)
  end
  if h.lane == 'r' and state[2] == 'b' then
    if state[1] == 'w' then
      wait(h.conv, h.page, state[3], 'r')
    else
      redis.call('HSET', c, 'ln', 'r')
    end
  end
end

local function key(id, h, digest)
  local name = K .. 'k:' .. h.page .. ':' .. h.key
  local taken = redis.call('GET', name)
  if not taken or string.match(taken, '^%S+') < id then -- ids sort by time: the latest job of a key has it
    redis.call('SET', name, id .. ' ' .. digest)
  end
end

for at = 6, #ARGV - 2, WIDTH do
  local id, place, due, attempts = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  if redis.call('EXISTS', K .. 'j:' .. id, K .. 's:' .. id) == 0 then
    put = put + 1
    if place == 'x' then
      settled(id, nil, 'unknown', {attempts = attempts, error = trouble('Redis was wiped, and the log lacks its text')}, '')
    else
      redis.call('SET', K .. 'j:' .. id, ARGV[at + 10])
      local h = header(id)
      if h.key ~= '-' then
        key(id, h, ARGV[at + 8])
      end
      if place == 'a' then
        redis.call('ZADD', K .. 'at', stamp(due), id) -- the log knows
        redis.call('SADD', K .. 'ats:' .. h.conv, id)
      else
        local length = redis.call('RPUSH', K .. 'l:' .. h.conv, id)
        if h.lane == 'r' then
          redis.call('HINCRBY', ckey(h.conv), 'nr', 1)
        end
        if length == 1 then
          head(id, h, place, due, attempts, ARGV[at + 4], tonumber(ARGV[at + 5]), ARGV[at + 6])
        else
          follow(h)
        end
      end
    end
  end
end
return {'ok', put, doubted}
