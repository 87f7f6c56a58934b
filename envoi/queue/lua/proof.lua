-- Facts are taken from anyone, whatever fence he holds: a late answer, an echo, a look, an operator.

-- It was sent, with this message id. Answers what came of it.
local function proved_sent(conv, id, mid, rid, calls)
  local c = ckey(conv)
  if redis.call('LINDEX', K .. 'l:' .. conv, 0) ~= id then
    -- Settled before: an outcome `unknown` is corrected, any other stays.
    local before = redis.call('GET', K .. 's:' .. id)
    local fields = before and cjson.decode(before)
    if fields and fields.state == 'unknown' then
      settled(id, header(id), 'sent', {message_id = mid, recipient_id = rid, attempts = fields.attempts}, calls)
      return 'corrected'
    end
    if calls ~= '' then
      event('note', id, 'c', calls)
    end
    return 'known'
  end
  local state = redis.call('HMGET', c, 'pl', 'pg', 'a')
  if state[1] == 'h' then -- whoever holds it finds the message id at begin, or the rescue of his lease does
    redis.call('HSET', c, 'mid', mid, 'rid', rid)
    event('note', id, 'm', mid, 'r', rid, 'c', calls)
    return 'held'
  end
  -- If it waits, its entry in the waiting list stays and is skipped when met, or serves the next job.
  settle(conv, id, state[2], 'sent', {message_id = mid, recipient_id = rid, attempts = state[3]}, calls)
  return 'settled'
end
