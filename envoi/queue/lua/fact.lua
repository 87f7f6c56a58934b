-- fact: proof from outside that a message was sent: an echo, a look, an operator. From anyone, at any time, twice too.
-- KEYS[1] the queue's base. Keys touched: due, ev, pages; c: l: s: k: j: w: p: of the conversation.
-- ARGV: job id, message id, recipient id or "", status ttl, key ttl
-- Answers "settled" | "held" | "corrected" | "known".
-- use: clock event pages job line proof
local h = header(ARGV[1])
if not h then
  local before = redis.call('GET', K .. 's:' .. ARGV[1])
  if not before then
    return redis.error_reply('UNKNOWNJOB no job ' .. ARGV[1])
  end
  return proved_sent('', ARGV[1], ARGV[2], ARGV[3], '')
end
return proved_sent(h.conv, ARGV[1], ARGV[2], ARGV[3], '')
