-- event(state, id, field, value, …): one entry of the stream; empty values are left out (envoi/events.py).
-- The log writer copies the stream to SQL and trims it, so an entry is as small as it can be.
local function event(state, id, ...)
  local entry = {'XADD', K .. 'ev', '*', 'e', state, 'j', id, 't', stamp(now)}
  local extra = {...}
  for i = 1, #extra, 2 do
    if extra[i + 1] and extra[i + 1] ~= '' then
      entry[#entry + 1] = extra[i]
      entry[#entry + 1] = extra[i + 1]
    end
  end
  redis.call(unpack(entry))
end
