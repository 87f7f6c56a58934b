-- look: which settling conversations are to be looked into now. The page's budget is charged and the next look is set
-- before this one is made, so a settler that dies loses nothing and two never look at one conversation at once.
-- KEYS[1] the queue's base. Keys touched: look, due, settler; c: l: p: mids: j: of what is found.
-- ARGV: want, seconds between the looks of a page, seconds between two looks that may prove absence, seconds that the
--   settler who asks is taken to be alive
-- Answers: seconds until the next look may be due or "", the time; then for each conversation
--   conversation, job id, mark, since when the message may be there (seconds), 1 if absence proves something by now (else
--   0), 1 if this is the last look (else 0), token version, what is known (list), job
-- Bound: O(want); at most 4 × want + 16 conversations are looked at.
-- use: clock event bell pages job line looks
local want, gap, again = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('SET', K .. 'settler', 1, 'PX', math.ceil(1000 * tonumber(ARGV[4])))

-- The look after this one: early ones while absence proves nothing, then two that may prove it, and more if they fail.
local function next_look(since, proves)
  for _, early in ipairs(EARLY) do
    if since + early > now and since + early < proves then
      return since + early
    end
  end
  if now < proves then
    return proves
  end
  return math.max(now, proves) + again
end

local function found(conv)
  local c = ckey(conv)
  local state = redis.call('HMGET', c, 'pl', 'pg', 'm', 'bg', 'aw', 'us')
  local id = redis.call('LINDEX', K .. 'l:' .. conv, 0)
  local h = id and header(id)
  if state[1] ~= 's' or not h or not state[3] then
    redis.call('ZREM', K .. 'look', conv) -- settled since
    return nil
  end
  local page, proves, since = state[2], tonumber(state[5] or now), tonumber(state[6] or now)
  local p = redis.call('HMGET', pkey(page), 'blind', 'tv')
  if tonumber(p[1] or 0) > now then
    redis.call('ZREM', K .. 'look', conv)
    redis.call('ZADD', K .. 'due', 'XX', stamp(math.max(now, proves)), conv)
    return nil
  end
  local slot = look_slot(conv, page, gap)
  if slot > now then
    redis.call('ZADD', K .. 'look', stamp(slot), conv)
    return nil
  end
  let_go(conv, page, now)
  redis.call('ZADD', K .. 'look', stamp(next_look(since, proves)), conv)
  local begun, job = state[4] or stamp(since - LONGEST), redis.call('GET', K .. 'j:' .. id)
  local counts, last = now >= proves and 1 or 0, now >= proves + again and 1 or 0
  return {conv, id, state[3], begun, counts, last, p[2] or '0', known_of(conv), job}
end

local rows = {}
for _, conv in ipairs(redis.call('ZRANGEBYSCORE', K .. 'look', '-inf', stamp(now), 'LIMIT', 0, 4 * want + 16)) do
  if #rows == want then
    break
  end
  rows[#rows + 1] = found(conv)
end
local first = redis.call('ZRANGE', K .. 'look', 0, 0, 'WITHSCORES')[2]
table.insert(rows, 1, stamp(now))
table.insert(rows, 1, first and stamp(math.max(0, tonumber(first) - now)) or '')
return rows
