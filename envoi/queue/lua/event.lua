-- event(state, id, field, value, …): one entry of the stream; empty values are left out (envoi/events.py).
-- The log writer copies the stream to SQL and trims it, so an entry is as small as it can be.
local EV = K .. 'ev'
local function event(state, id, ...)
  local entry = {'XADD', EV, '*', 'e', state, 'j', id, 't', stamp(now), ...}
  local last = 9
  for i = 10, 9 + select('#', ...), 2 do
    local value = entry[i + 1]
    if value and value ~= '' then
      entry[last + 1], entry[last + 2] = entry[i], value
      last = last + 2
    end
  end
  redis.call(unpack(entry, 1, last))
end
