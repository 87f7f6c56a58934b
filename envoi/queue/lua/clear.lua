-- clear: cancel what waits in a conversation: scheduled jobs, then its line from the tail, so that no job ever jumps ahead
-- of one that is left; the head last.
-- KEYS[1] the queue's base. Keys touched: at, due, ev, pages, known; c: l: ats: w: p: of the conversation; s: k: j: x: of
--   the jobs.
-- ARGV: conversation, at most so many jobs, status ttl, key ttl
-- Answers: jobs cancelled, 1 if more are left to be cancelled (else 0), the id of a job that goes on (it is held by a
--   worker, or settles) or "", how many behind it may have been begun in moments that Redis lost and go on too.
-- Bound: O(at most so many). Gated like cancel.
-- use: clock event pages job line
local conv, most = ARGV[1], tonumber(ARGV[2])
local c, line, left, count = ckey(conv), K .. 'l:' .. conv, most, 0

local function cancelled(id, h, attempts)
  count = count + 1
  settled(id, h, 'cancelled', {attempts = attempts or nil, error = trouble('cancelled before the message call')}, '')
end

for _, id in ipairs(redis.call('SRANDMEMBER', K .. 'ats:' .. conv, most)) do
  local h = header(id)
  redis.call('SREM', K .. 'ats:' .. conv, id)
  if unschedule(id) then
    cancelled(id, h)
  end
  left = left - 1
end

local doubted = tonumber(redis.call('HGET', c, 'su') or 0)
while left > 0 and redis.call('LLEN', line) > 1 + doubted do
  local id = redis.call('RPOP', line)
  if redis.call('DEL', K .. 'x:' .. id) == 0 then
    local h = header(id)
    if h and h.lane == 'r' then
      redis.call('HINCRBY', c, 'nr', -1)
    end
    cancelled(id, h)
  end
  left = left - 1
end
if left == 0 then
  return {count, 1, '', 0}
end

local head = redis.call('LINDEX', line, 0)
if not head then
  return {count, 0, '', 0}
end
local state = redis.call('HMGET', c, 'pl', 'pg', 'm', 'mid', 'a')
if state[1] == 's' or state[1] == 'h' or state[3] or state[4] or doubted > 0 then
  if state[1] == 'h' and not state[3] then
    redis.call('HSET', c, 'x', 1) -- decided at begin
  end
  return {count, 0, head, doubted}
end
if redis.call('DEL', K .. 'x:' .. head) == 1 then
  advance(conv, state[2])
else
  local h = header(head)
  cancelled(head, h, state[5])
  advance(conv, state[2], h)
end
return {count, 0, '', 0}
