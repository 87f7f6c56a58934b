-- Time is Redis's own: one clock for producers, workers and schedulers. Seconds since the epoch.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1e6

-- Lua's tostring keeps 14 digits, which would cut microseconds off. The present is written once.
local written, text
local function stamp(seconds)
  if seconds ~= now then
    return string.format('%.6f', seconds)
  end
  if written ~= now then
    written, text = now, string.format('%.6f', now)
  end
  return text
end
