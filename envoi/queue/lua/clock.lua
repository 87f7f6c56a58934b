-- Time is Redis's own: one clock for producers, workers and schedulers. Seconds since the epoch.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1e6

-- Lua's tostring keeps 14 digits, which would cut microseconds off.
local function stamp(seconds)
  return string.format('%.6f', seconds)
end
