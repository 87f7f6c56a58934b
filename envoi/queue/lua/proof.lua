-- Facts are taken from anyone, whatever fence he holds: a late answer, an echo, a look, an operator.

-- It was sent, with this message id ("": an operator says so). Answers what came of it.
local function proved_sent(conv, id, mid, rid, calls)
  local before = redis.call('GET', K .. 's:' .. id)
  if before then -- an outcome `unknown` is corrected, any other stays; a message id that nobody knew is added
    local fields = cjson.decode(before)
    if fields.state == 'unknown' then
      if conv ~= '' and mid ~= '' then
        learn(conv, mid, rid)
      end
      local corrected = {message_id = mid, recipient_id = rid, attempts = fields.attempts, out = fields.out}
      settled(id, header(id), 'sent', corrected, calls)
      return 'corrected'
    end
    if fields.state == 'sent' and (fields.message_id or '') == '' and mid ~= '' then
      if conv ~= '' then
        learn(conv, mid, rid)
      end
      fields.message_id, fields.recipient_id = mid, rid ~= '' and rid or fields.recipient_id
      redis.call('SET', K .. 's:' .. id, cjson.encode(fields), 'KEEPTTL')
      event('note', id, 'm', mid, 'r', rid, 'c', calls)
      return 'known'
    end
    if calls ~= '' then
      event('note', id, 'c', calls)
    end
    return 'known'
  end
  local h = header(id)
  if not h then -- neither open nor settled: lost with Redis's last moments, or settled long ago
    event('note', id, 'm', mid, 'r', rid, 'c', calls)
    return 'known'
  end
  if mid ~= '' then
    learn(conv, mid, rid)
  end
  local c, fields = ckey(conv), {message_id = mid, recipient_id = rid}
  if redis.call('LINDEX', K .. 'l:' .. conv, 0) ~= id then
    -- Not a head, so after all we know it was never begun: Redis lost that, or an operator knows better. Skipped later.
    if not unschedule(id) then
      redis.call('SET', K .. 'x:' .. id, 1)
      if h.lane == 'r' then
        redis.call('HINCRBY', c, 'nr', -1)
      end
    end
    settled(id, h, 'sent', fields, calls)
    return 'settled'
  end
  local state = redis.call('HMGET', c, 'pl', 'pg', 'a')
  if state[1] == 'h' then -- whoever holds it finds the message id at begin, or the rescue of his lease does
    redis.call('HSET', c, 'mid', mid, 'rid', rid)
    event('note', id, 'm', mid, 'r', rid, 'c', calls)
    return 'held'
  end
  -- If it waits, its entry in the waiting list stays and is skipped when met, or serves the next job.
  fields.attempts = state[3] or nil
  settle(conv, id, state[2], 'sent', fields, calls)
  return 'settled'
end
