-- known: a message that somebody else wrote in the page's name, by its echo: never taken for one of ours.
-- KEYS[1] the queue's base. Keys touched: mids: of the conversation.
-- ARGV: conversation, message id
-- Answers 1 if it is new, else 0. Bound: O(the known of one conversation, some 40).
-- use: clock mids
local conv, mid = ARGV[1], ARGV[2]
for _, entry in ipairs(redis.call('LRANGE', K .. 'mids:' .. conv, 0, 63)) do
  if string.match(entry, '^%S+ (.+)$') == mid then
    return 0
  end
end
learn(conv, mid)
return 1
