-- remember: statuses and keys of settled jobs, lost with a wiped Redis, so that a repeat with the same key still gives the
-- first job; and which messages of a thread are theirs, for looks.
-- KEYS[1] the queue's base. Keys touched: s: k: mids: of the jobs.
-- ARGV: for each job  id, page, status (JSON), seconds that it is kept (0: not at all), key digest or -, content digest,
--   seconds that the key stays taken (0: no more), conversation, message id or "", when that was known (seconds)
-- Answers how many keys were put back.
-- Bound: O(jobs). Said again it changes nothing but the times.
-- use: clock mids
local WIDTH, keys = 10, 0
for at = 1, #ARGV, WIDTH do
  local id, status, kept, taken_for = ARGV[at], ARGV[at + 2], tonumber(ARGV[at + 3]), tonumber(ARGV[at + 6])
  if kept > 0 then
    redis.call('SET', K .. 's:' .. id, status, 'NX', 'EX', kept)
  end
  if ARGV[at + 8] ~= '' then
    learn(ARGV[at + 7], ARGV[at + 8], nil, ARGV[at + 9])
  end
  local name = K .. 'k:' .. ARGV[at + 1] .. ':' .. ARGV[at + 4]
  local taken = ARGV[at + 4] ~= '-' and taken_for > 0 and (redis.call('GET', name) or '')
  if taken and (taken == '' or string.match(taken, '^%S+') < id) then -- ids sort by time: the latest job of a key has it
    redis.call('SET', name, id .. ' ' .. ARGV[at + 5], 'EX', taken_for)
    keys = keys + 1
  end
end
return keys
