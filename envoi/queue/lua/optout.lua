-- optout: a person wants no messages of a page, or wants them again.
-- KEYS[1] the queue's base. Keys touched: receipts; optouts: p: of the page.
-- ARGV: conversation, op out | restore (the same, from the log) | in, since when (seconds, or "": now)
-- Answers 1 if this changed anything, else 0. O(1): waiting jobs fail when it is their turn.
-- use: clock event pages job line holds
local conv, op, since = ARGV[1], ARGV[2], ARGV[3]
local page = string.match(conv, '^[^/]+')
local all = K .. 'optouts:' .. page
if op == 'in' then
  local changed = redis.call('HDEL', all, conv)
  if redis.call('EXISTS', all) == 0 then
    redis.call('HDEL', pkey(page), 'oo')
  end
  if changed == 1 then
    tell_log('optout', conv)
  end
  return changed
end
since = since ~= '' and since or stamp(now)
local changed = redis.call('HSETNX', all, conv, since)
redis.call('HSET', pkey(page), 'oo', 1)
if changed == 1 and op == 'out' then
  tell_log('optout', conv, since)
end
return changed
