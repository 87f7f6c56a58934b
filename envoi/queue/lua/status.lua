-- status: where a job is. Reads only.
-- KEYS[1] the queue's base. Keys read: s: j: l: c: of the job; at, due.
-- ARGV: job id
-- Answers JSON {state, attempts, message_id, recipient_id, error, due}, or nothing for a job that is not here.
-- use: clock event job
local id = ARGV[1]
local outcome = redis.call('GET', K .. 's:' .. id)
if outcome then
  return outcome
end
local h = header(id)
if not h then
  return false
end
local due = redis.call('ZSCORE', K .. 'at', id)
if due then
  return cjson.encode({state = 'scheduled', due = due})
end
if redis.call('LINDEX', K .. 'l:' .. h.conv, 0) ~= id then
  return cjson.encode({state = 'queued'})
end
local state = redis.call('HMGET', K .. 'c:' .. h.conv, 'st', 'a', 'mid', 'rid', 'er')
return cjson.encode({
  state = state[1], attempts = state[2] or nil, message_id = state[3] or nil, recipient_id = state[4] or nil,
  error = state[5] or nil, due = redis.call('ZSCORE', K .. 'due', h.conv) or nil,
})
