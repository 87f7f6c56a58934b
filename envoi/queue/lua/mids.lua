-- mids:<conv>, list of "time message-id", newest first, with a time to live: messages of the page in a person's thread
-- that are not those of a call in doubt: our own that were accepted, and those that others wrote in the page's name. The
-- time is when we learned of it (seconds, Redis's clock), so it is later than the message itself. At most 40, or a few more.
local KNOWN, KNOWN_TTL = 40, '86400'

-- The thread is the person's: a message to somebody known by something else (a comment, an opt-in) counts where the
-- person's own id is, if Graph has told it.
local function learn(conv, mid, rid, at)
  if not string.find(conv, '^[^/]+/id/') then
    if not rid or not string.find(rid, '^%w+$') then
      return
    end
    conv = string.match(conv, '^[^/]+') .. '/id/' .. rid
  end
  local key = K .. 'mids:' .. conv
  if redis.call('LPUSH', key, (at or stamp(now)) .. ' ' .. mid) > KNOWN + 8 then
    redis.call('LTRIM', key, 0, KNOWN - 1)
  end
  redis.call('EXPIRE', key, KNOWN_TTL)
end
