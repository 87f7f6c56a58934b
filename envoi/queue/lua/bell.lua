-- Is there a conversation that some page may send now?
local function work()
  for _, lane in ipairs({'r', 'b'}) do
    if #redis.call('ZRANGEBYSCORE', K .. 'pages:' .. lane, '-inf', stamp(now), 'LIMIT', '0', '1') > 0 then
      return true
    end
  end
  return false
end

-- ring(cap): push a copy of the bell that Celery made, unless `cap` unread ones are there. The bound is the list's
-- own length: a counter of ours would stay up for ever after one lost bell. Only the characters [0-9a-z:] are filled
-- in, since a malformed bell would kill the worker that reads it; a delivery tag used twice would break prefetch.
local function ring(cap)
  if redis.call('LLEN', K .. 'bells') >= tonumber(cap) then
    return
  end
  local template = redis.call('GET', K .. 'tpl')
  if not template then
    return -- no worker has ever started here; a starting worker rings for itself
  end
  local fresh = string.format('bell:%.0f:%d', now * 1e6, redis.call('INCR', K .. 'bell'))
  local bell = string.gsub(template, 'ENVOIBELLID', fresh)
  bell = string.gsub(bell, 'ENVOIBELLTAG', fresh)
  redis.call('LPUSH', K .. 'bells', bell)
end
