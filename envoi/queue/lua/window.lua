-- The window: in:<conv>, string with a time to live: when the person was last heard of, as webhooks told (webhook.lua).

-- Since when the window is closed for a message that may go out `rule` seconds after that; nil while it is open, and for
-- people that webhooks have told nothing of.
local function closed_since(conv, rule)
  local heard = redis.call('GET', K .. 'in:' .. conv)
  local ends = heard and tonumber(heard) + tonumber(rule)
  return ends and ends <= now and ends or nil
end
