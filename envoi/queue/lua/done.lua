-- done: what became of an attempt. The fence guards control; the fact that a message was sent is always taken, and
-- the fact that it was not only from the very call that is marked.
-- KEYS[1] the queue's base. Keys touched: lease, due, ev, pages; c: l: s: k: j: w: p: of the conversation.
-- ARGV: conversation, fence, job id, op, message id, recipient id, error (JSON or ""), calls (JSON or ""),
--   seconds, state, status ttl, key ttl
--   op keep      Graph has answered the message call: accepted (with a message id) or not; the conversation stays
--                held for typing_off
--   op settle    the job ends in `state`: sent, failed, expired, cancelled
--   op retry     surely not sent, or Graph says so: again in `seconds`
--   op unsure    no answer that says: facts are waited for `seconds` long
--   op back      the message was surely not sent, for no fault of the job: the attempt is given back; again at once or
--                in `seconds`
-- Answers "ok", or what a stale holder's fact came to: "stale" | "settled" | "held" | "corrected" | "known".
-- use: clock event bell pages job line proof
local conv, fence, id, op = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local mid, rid, error, calls, seconds, outcome = ARGV[5], ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10]
local c = ckey(conv)
local state = redis.call('HMGET', c, 'f', 'pg', 'a', 'm', 'pl', 'mid', 'rid')
local page, attempt = state[2], state[3]

if state[1] ~= fence then
  if mid ~= '' then
    return proved_sent(conv, id, mid, rid, calls)
  end
  local own = state[4] == fence and state[5] == 's' and redis.call('LINDEX', K .. 'l:' .. conv, 0) == id
  if not own or op == 'unsure' then
    event('note', id, 'c', calls)
    return 'stale'
  end
  if op == 'keep' then -- a late "not sent" about the call that is being settled, and nothing decided yet
    op, seconds = 'retry', 0
  end
elseif op ~= 'keep' then
  release(conv, page)
end

if op == 'keep' then
  redis.call('HDEL', c, 'm')
  if mid ~= '' then
    redis.call('HSET', c, 'mid', mid, 'rid', rid)
  end
  event('note', id, 'a', attempt, 'm', mid, 'r', rid, 'c', calls)
elseif state[6] or mid ~= '' then -- accepted: nothing after it can change that
  local fields = {message_id = mid ~= '' and mid or state[6], recipient_id = mid ~= '' and rid or state[7]}
  fields.attempts = attempt
  settle(conv, id, page, 'sent', fields, calls)
elseif op == 'settle' then
  settle(conv, id, page, outcome, {attempts = attempt, error = error}, calls)
elseif op == 'retry' then
  redis.call('HDEL', c, 'm', 'ty')
  redis.call('HSET', c, 'er', error)
  postpone(conv, 'd', 'retrying', now + seconds)
  event('retrying', id, 'a', attempt, 'd', stamp(now + seconds), 'x', error, 'c', calls)
elseif op == 'unsure' then
  redis.call('HSET', c, 'er', error)
  postpone(conv, 's', 'settling', now + seconds)
  event('settling', id, 'a', attempt, 'd', stamp(now + seconds), 'x', error, 'c', calls)
elseif op == 'back' then
  redis.call('HDEL', c, 'm')
  redis.call('HINCRBY', c, 'a', -1)
  event('queued', id, 'a', attempt, 'c', calls)
  if seconds > 0 then
    postpone(conv, 'd', 'queued', now + seconds)
  else
    redis.call('HSET', c, 'st', 'queued')
    wait(conv, page, redis.call('HGET', c, 'ln'), true)
  end
else
  return redis.error_reply('ERR done: unknown op ' .. op)
end
return 'ok'
