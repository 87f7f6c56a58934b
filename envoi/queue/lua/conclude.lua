-- The time for facts is over, and nobody can say whether the head's message was sent: it ends so, or goes on if the job says
-- on_unknown="resend" and has an attempt left.
local function conclude(conv, id, default_attempts)
  local c = ckey(conv)
  local state = redis.call('HMGET', c, 'pg', 'a', 'er', 'x')
  local page, attempts, h = state[1], tonumber(state[2] or 0), header(id)
  local error = state[3] and state[3] ~= '' and state[3] or trouble('no answer that says whether the message was sent')
  redis.call('ZREM', K .. 'look', conv)
  local again = h and option(h, 'unknown') == 'resend' and not state[4]
  if again and attempts < (tonumber(h.attempts) or default_attempts) then
    redis.call('HDEL', c, 'm', 'ty', 'ab')
    postpone(conv, 'd', 'retrying', now)
    event('retrying', id, 'a', attempts, 'd', stamp(now), 'x', error)
    return 'retrying'
  end
  settle(conv, id, page, 'unknown', {attempts = state[2] or nil, error = error}, '')
  return 'unknown'
end
