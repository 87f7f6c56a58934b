-- A conversation: l:<conv>, list of job ids, and c:<conv>, hash of the state of its head:
--   pg page    ln lane (r|b)    nr jobs of the lane replies in the line
--   pl place: w waiting for its page, h held by a worker, d until its due time, s settling, p parked: met by a claim while
--     an operator holds the conversation (ho, standing.lua, which is there without a head too)
--   st state of the head    f fence    a attempt    m mark (fence of the message call that may be in flight)
--   mid, rid  message id and recipient id, once accepted    kt when the queue was told so    ty when typing_on was made    x cancel is wished    er last error
--   wt since when it has waited for its page: tells its entry in the waiting list from those left behind
--   cs class of the head (pace.lua); absent: none
--   ra another time is wished for the head while it is held (seconds)
--   kc calls of the present attempt that no event has told yet (JSON)
--   lf last word of a holder (fence and op): said again, since its answer was lost, it changes nothing
--   cl fence of a message call that may have been taken, of a private reply (called.lua)
--   ur an attachment id that was refused, or * after two (reuse.lua)
-- and after a restart of Redis (doubt): su jobs behind the head in doubt too, sd until when, sb begun since when    re run it was
--   reasserted in    en when its head entered, ft, fn since when and how many more entered, while the gate was shut
--   bg when the message call in doubt was begun, or an earlier one of this job whose answer proves nothing (ab: its time)
--   hw how long absence proves nothing after such a call (G + V of this message)
--   us since when it settles    aw from when on absence proves something    ls the page's slot kept for its look
-- look: sorted set of conversations that settle and can be looked into, by the time of the next look
-- at: sorted set of jobs that wait for their time, outside of every line
-- r:<conv>, string with a time to live: why the platform refuses jobs to this person, JSON that no script reads.
-- Only heads move: a waiting job is one string and one list entry.
-- at: sorted set of scheduled jobs by their times    ats:<conv>: set of those of one conversation
local keyed, key -- the last conversation asked for: it is asked for again and again
local function ckey(conv)
  if conv ~= keyed then
    keyed, key = conv, K .. 'c:' .. conv
  end
  return key
end

-- What the holder of `fence` has said last of this head ("begin", "keep", or how it ended); nil if nothing, or if another
-- holder has spoken since.
local function said(last, fence)
  return last and string.sub(last, 1, #fence + 1) == fence .. ' ' and string.sub(last, #fence + 2)
end

-- The class of a job; nil: none.
local function class_of(h)
  local kind = string.match(h.conv, '^[^/]+/([^/]+)/')
  if kind == 'comment_id' or kind == 'post_id' then
    return 'p'
  end
  return option(h, 'm') and 'm'
end

-- An entry of a waiting list: the conversation, and since when it waits there (none in entries of older versions). What was
-- left behind by a conversation that waits elsewhere, or anew, is told from its entry by that: otherwise it would be
-- claimed before those that have waited longer, and a recovery could not know whose turn may have come.
local function entry(text)
  local conv, since = string.match(text, '^(%S+) ?(%S*)$')
  return conv, since
end

local function stands(since, wt)
  return since == '' or since == wt
end

-- The conversation, whose head is of this class, waits for its page; at the front when it only gave its turn back. What else
-- is to be written of it goes with that.
local function wait(conv, page, class, lane, front, ...)
  local queue, since = queue_of(page, class), stamp(now)
  redis.call('HSET', ckey(conv), 'pl', 'w', 'ln', lane, 'wt', since, ...)
  redis.call(front and 'LPUSH' or 'RPUSH', K .. 'w:' .. queue .. ':' .. lane, conv .. ' ' .. since)
  offer(queue, lane)
end

-- Its holder is lost, or taken for it: the calls that he noted are told for him.
local function tell_calls(conv, id)
  local state = redis.call('HMGET', ckey(conv), 'a', 'kc')
  if state[2] then
    event('note', id, 'a', state[1], 'c', state[2])
  end
end

-- The holder lets go: no lease, no fence, one call in flight less. Where the head `ends`, what is known of it goes anyway.
local function release(conv, page, ends)
  redis.call('ZREM', K .. 'lease', conv)
  if not ends then
    redis.call('HDEL', ckey(conv), 'f', 're', 'kc')
  end
  unbusy(page)
end

-- The head comes back at a time: for a retry (place d), or while facts are waited for (place s).
local function postpone(conv, place, state, due)
  redis.call('HSET', ckey(conv), 'pl', place, 'st', state)
  redis.call('ZADD', K .. 'due', stamp(due), conv)
end

-- No message call takes longer (seconds): where Redis has lost when a call was begun, it was no longer ago than that.
local LONGEST = 300

-- Looks that can only prove that it was sent come so many seconds after a call whose outcome is unknown.
local EARLY = {2, 10, 30}

local function by_id(conv)
  return string.find(conv, '^[^/]+/id/') ~= nil
end

-- The head's message call is in doubt. Before `proves` absence proves nothing: it may still be on its way.
local function unsettle(conv, proves)
  redis.call('HSET', ckey(conv), 'us', stamp(now), 'aw', stamp(proves))
  redis.call('HDEL', ckey(conv), 'ls', 'ra')
  postpone(conv, 's', 'settling', proves)
  if by_id(conv) then
    redis.call('ZADD', K .. 'look', stamp(math.min(now + EARLY[1], proves)), conv)
  end
end

-- The head may have been begun in moments that Redis lost, no earlier than `begun`: facts are waited for.
local function doubt(conv, id, mark, ends, begun)
  if acts(id) then -- made again without harm; those behind it are in doubt once it is through
    local state = redis.call('HMGET', ckey(conv), 'pg', 'ln')
    redis.call('HSET', ckey(conv), 'st', 'queued')
    wait(conv, state[1], nil, state[2] or 'b', true)
    return
  end
  local error = trouble('Redis lost the moments in which the message may have been sent')
  redis.call('HSET', ckey(conv), 'm', mark, 'er', error, 'bg', begun)
  unsettle(conv, ends)
  event('settling', id, 'a', redis.call('HGET', ckey(conv), 'a'), 'd', stamp(ends), 'x', error)
end

-- So many jobs behind the head may have been begun in those moments too, no earlier than `begun`; absence proves nothing of
-- them before `ends`.
local function followed(conv, behind, ends, begun)
  redis.call('HSET', ckey(conv), 'su', behind, 'sd', ends, 'sb', begun)
end

-- A job waits for its time, in no line.
local function schedule(id, starts)
  redis.call('ZADD', K .. 'at', stamp(starts), id)
  redis.call('SADD', K .. 'ats:' .. header(id).conv, id)
  event('scheduled', id, 'd', stamp(starts))
end

-- Take a job from those that wait for their time. Answers whether it was one of them.
local function unschedule(id)
  local scheduled = redis.call('ZREM', K .. 'at', id) == 1
  local h = scheduled and header(id)
  if h then
    redis.call('SREM', K .. 'ats:' .. h.conv, id)
  end
  return scheduled
end

-- Nothing waits in the conversation. That it is held outlives its head.
local function forget(conv, ho)
  redis.call('DEL', ckey(conv))
  if ho then
    redis.call('HSET', ckey(conv), 'ho', ho)
  end
end

-- Take the head off the line; the next one waits, or the conversation ends. A job cancelled while it waited has
-- left x:<id> behind and is no longer counted in nr: skipped here, 100 at a time (the rest when it is claimed), so
-- that no line blocks Redis.
-- `gone`: the head's header, if it is counted in nr still. `known`: what is asked for below, if it was asked already, of a
-- head that somebody held until now.
local function advance(conv, page, gone, known)
  local line, c = K .. 'l:' .. conv, ckey(conv)
  local state = known or redis.call('HMGET', c, 'nr', 'su', 'sd', 'm', 'sb', 'ho')
  local replies, behind = tonumber(state[1] or 0), tonumber(state[2] or 0)
  redis.call('LPOP', line)
  if gone and gone.lane == 'r' then
    replies = replies - 1
  end
  local head, text = redis.call('LINDEX', line, '0'), nil
  for _ = 1, 100 do
    local found = head and redis.call('MGET', K .. 'x:' .. head, K .. 'j:' .. head) or {}
    text = found[2]
    if not found[1] then
      break
    end
    redis.call('DEL', K .. 'x:' .. head)
    redis.call('LPOP', line)
    head, text = redis.call('LINDEX', line, '0'), nil
  end
  forget(conv, state[6])
  if not known then
    redis.call('ZREM', K .. 'due', conv)
  end
  if not head then
    return
  end
  local h = text == nil and header(head) or header_in(text or '')
  local class = h and class_of(h)
  local fields = {'pg', page, 'nr', replies, 'st', 'queued'}
  if class then
    fields[7], fields[8] = 'cs', class
  end
  if behind > 0 then
    redis.call('HSET', c, 'ln', replies > 0 and 'r' or 'b', unpack(fields))
    followed(conv, behind - 1, state[3], state[5])
    doubt(conv, head, state[4] or 'lost', tonumber(state[3]), state[5])
    return
  end
  wait(conv, page, class, replies > 0 and 'r' or 'b', false, unpack(fields))
  if not OPEN then -- it may have been head before, in moments that Redis lost
    redis.call('SADD', K .. 'doubted', conv)
  end
end

-- The head has its outcome. Its header and `known` (advance) need not be read where they are at hand.
local function settle(conv, id, page, state, fields, calls, h, known)
  h = h or header(id)
  settled(id, h, state, fields, calls)
  advance(conv, page, h, known)
end

-- The head's text is not in Redis any more (evicted, or deleted by hand): it cannot be sent, and must not stop its line.
local function vanished(conv, id, page, attempts)
  settle(conv, id, page, 'failed', {attempts = attempts or nil, error = trouble('its text is no longer in Redis')}, '')
end

-- A job enters its line. A reply behind bulk jobs lifts the conversation to the lane replies; its old entry in the
-- other waiting list is left there and skipped when met (taking it out would be O(n)).
local function enter(id, h)
  local c, conv = ckey(h.conv), h.conv
  local length = redis.call('RPUSH', K .. 'l:' .. conv, id)
  if h.lane == 'r' then
    redis.call('HINCRBY', c, 'nr', '1')
  end
  if length == 1 then
    local class = class_of(h)
    wait(conv, h.page, class, h.lane, false, 'pg', h.page, 'st', 'queued', unpack(class and {'cs', class} or {}))
    if not OPEN then
      redis.call('HSET', c, 'en', stamp(now))
    end
    return
  end
  if h.lane == 'r' then
    local state = redis.call('HMGET', c, 'pl', 'ln', 'cs')
    if state[1] == 'w' and state[2] == 'b' then
      wait(conv, h.page, state[3], 'r')
    elseif state[2] ~= 'r' then
      redis.call('HSET', c, 'ln', 'r')
    end
  end
  if not OPEN then
    redis.call('HSETNX', c, 'ft', stamp(now))
    redis.call('HINCRBY', c, 'fn', 1)
  end
end

-- A job that waited for its time, and is taken from those that do, enters its line: order is the order of entering.
local function start(id, h)
  redis.call('SREM', K .. 'ats:' .. h.conv, id)
  event('queued', id, 'd', stamp(now))
  enter(id, h)
end

-- The head, held by nobody, leaves its line without an outcome and enters it again at its new time.
local function withdraw(conv, id, page, starts)
  local h = header(id)
  if not h then
    vanished(conv, id, page, nil)
    return
  end
  advance(conv, page, h)
  if starts > now then
    schedule(id, starts)
  else
    start(id, h)
  end
end
