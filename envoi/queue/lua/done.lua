-- done: what became of an attempt. The fence guards control; the fact that a message was sent is always taken, and
-- the fact that it was not only from the very call that is marked.
-- KEYS[1] the queue's base. Keys touched: lease, due, at, ev, pages, doubted; look; c: l: s: k: j:
--   x: w: p: r: mids: of the conversation.
-- ARGV: conversation, fence, job id, op, message id, recipient id, error (JSON or ""), calls of this attempt (JSON or ""),
--   seconds, state, attempt, lease (seconds), since when typing shows or "" (op back), what refuses the person's later
--   jobs (JSON or "", op settle), for how long (seconds), the job's lane, key digest or - and options (job.lua), status ttl, key ttl
--   op keep      Graph has answered the message call: accepted (with a message id) or not; the conversation stays
--                held for typing_off
--   op settle    the job ends in `state`: sent, failed, expired, cancelled; sent without a message id only if it is an
--                action, or if there is evidence in its place, which `error` tells
--   op retry     surely not sent, or (state "answered") Graph says so: again in `seconds`, and then after a look
--   op unsure    no answer that says: facts are waited for `seconds` long
--   op back      the message was surely not sent, for no fault of the job: the attempt is given back; again at once or
--                in `seconds`
-- Answers "ok", or what a stale holder's fact came to: "stale" | "settled" | "held" | "corrected" | "known".
-- Said again by the same holder (its answer was lost), it changes nothing.
-- use: clock event bell pages job mids line proof restore
local conv, fence, id, op = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local mid, rid, error, calls, seconds, outcome = ARGV[5], ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10]
local c = ckey(conv)
local function look()
  if op == 'keep' and mid ~= '' then -- of the message that its holder has sent no more need be known
    local few = redis.call('HMGET', c, 'f', 'lf', 'mid')
    if few[1] == fence then
      return {[5] = few[3], [8] = few[1], [9] = few[2]}
    end
  end
  return redis.call(
    'HMGET', c, 'pg', 'a', 'm', 'pl', 'mid', 'rid', 'x', 'f', 'lf', 'ra', 'kt', 'nr', 'su', 'sd', 'sb', 'ho')
end
local state = look()
local this, word = fence .. ' ' .. op, said(state[9], fence)
if word and word ~= 'begin' and (word == op or (word ~= 'keep' and word ~= 'unsure' and mid == '')) then
  return 'ok'
end
local holds = state[8] == fence
if not holds and restore(conv, fence, id, tonumber(ARGV[11]), now + tonumber(ARGV[12])) then
  holds, state = true, look()
end
local page, attempt, cancelled = state[1], tonumber(state[2] or 0), state[7]
local h = {page = page, lane = ARGV[16], key = ARGV[17], options = ARGV[18]}
local known = holds and {state[12], state[13], state[14], state[3], state[15], state[16]} or nil

if op == 'settle' and outcome == 'sent' and mid == '' and error == '' and not state[5] and not acts(id) then
  return redis.error_reply('ERR done: sent, but without a message id')
end
if holds and op ~= 'keep' then
  release(conv, page, state[5] or mid ~= '' or op == 'settle')
elseif not holds then
  local before = redis.call('GET', K .. 's:' .. id)
  before = before and cjson.decode(before)
  if before and before.f == fence and (mid == '' or before.state == 'sent') then
    return 'ok'
  end
  if mid ~= '' then
    return proved_sent(conv, id, mid, rid, calls)
  end
  local own = state[3] == fence and state[4] == 's' and redis.call('LINDEX', K .. 'l:' .. conv, 0) == id
  if not own or op == 'unsure' then
    if calls ~= '' then
      event('note', id, 'c', calls)
    end
    return 'stale'
  end
  if op == 'keep' then -- a late "not sent" about the call that is being settled, and nothing decided yet
    op, seconds = 'retry', 0
  end
  redis.call('HDEL', c, 'su', 'sd', 'sb') -- order clears the jobs behind: they would have been begun after it
end
if cancelled and (op == 'retry' or op == 'back') then -- the wish came too late for begin; it is not sent, so it is granted
  op, outcome, error = 'settle', 'cancelled', trouble('cancelled before it was sent')
end

if (op == 'keep' or op == 'retry') and outcome == 'answered' then
  -- Doubles have been seen after such answers: the next attempt looks first, from here on. After a restart of Redis its
  -- holder's word may be all there is.
  local begun = redis.call('HMGET', c, 'ab', 'bg')
  redis.call('HSET', c, 'ab', begun[1] or begun[2] or stamp(now - LONGEST))
end
if op == 'keep' then
  -- typing_off comes now. The calls are told with how the attempt ends, or where its lease runs out.
  if mid ~= '' then
    redis.call('HSET', c, 'lf', this, 'mid', mid, 'rid', rid, 'kt', stamp(now), 'kc', calls)
    learn(conv, mid, rid)
  else -- should its worker die before he says more, the next attempt shows typing anew
    redis.call('HDEL', c, 'm', 'ty')
    redis.call('HSET', c, 'lf', this, 'kc', calls)
  end
elseif state[5] or mid ~= '' then -- accepted: nothing after it can change that
  local fields = {message_id = mid ~= '' and mid or state[5], recipient_id = mid ~= '' and rid or state[6] or nil}
  fields.attempts, fields.f, fields.accepted = attempt, fence, state[11] or nil
  if not state[5] then
    learn(conv, mid, rid)
  end
  settle(conv, id, page, 'sent', fields, calls, h, known)
elseif op == 'settle' then
  if ARGV[14] ~= '' then -- whoever claims a later job of this person reads it
    -- where webhooks come in, the person's next message ends it (webhook.lua)
    local fed = tonumber(redis.call('GET', K .. 'fed:' .. page) or 0)
    redis.call('SET', K .. 'r:' .. conv, ARGV[14], 'EX', math.max(fed, tonumber(ARGV[15])))
  end
  local fields = {attempts = attempt, error = error ~= '' and error or nil, f = fence}
  fields.recipient_id = rid ~= '' and rid or nil -- of an action that was accepted
  settle(conv, id, page, outcome, fields, calls, h, known)
elseif op == 'retry' then
  redis.call('HDEL', c, 'm', 'ty', 'ra')
  redis.call('HSET', c, 'er', error, 'lf', this)
  postpone(conv, 'd', 'retrying', now + seconds)
  event('retrying', id, 'a', attempt, 'd', stamp(now + seconds), 'x', error, 'c', calls)
elseif op == 'unsure' then
  redis.call('HSET', c, 'm', fence, 'er', error, 'lf', this)
  unsettle(conv, now + seconds)
  event('settling', id, 'a', attempt, 'd', stamp(now + seconds), 'x', error, 'c', calls)
elseif op == 'back' and state[10] then -- another time was wished while it was held
  if calls ~= '' then
    event('note', id, 'a', attempt, 'c', calls)
  end
  withdraw(conv, id, page, tonumber(state[10]))
elseif op == 'back' then
  redis.call('HDEL', c, 'm')
  redis.call('HSET', c, 'a', math.max(0, attempt - 1), 'lf', this)
  if ARGV[13] == '' then
    redis.call('HDEL', c, 'ty') -- no bubble shows any more: the next attempt shows one
  else
    redis.call('HSET', c, 'ty', ARGV[13])
  end
  event('queued', id, 'a', attempt, 'c', calls)
  if seconds > 0 then
    postpone(conv, 'd', 'queued', now + seconds)
  else
    redis.call('ZREM', K .. 'due', conv)
    redis.call('HSET', c, 'st', 'queued')
    local its = redis.call('HMGET', c, 'ln', 'cs')
    wait(conv, page, its[2], its[1], true)
  end
end
if not OPEN and (op == 'retry' or op == 'back') then
  -- Perhaps said before, in moments that Redis lost; then somebody may have begun it again since.
  redis.call('SADD', K .. 'doubted', conv)
end
return 'ok'
