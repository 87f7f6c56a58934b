-- What is said of a conversation, whatever waits in it: an operator holds it, or the person has opted out.
--   c:<conv>, field ho     until when it is held (seconds), or "-": until it is released; and when that was said
--   holds                  sorted set of held conversations by when their holds end (inf: not by themselves)
--   holds:<page>           hash: conversation -> since when and until when, as in ho; what operators are shown
--   optouts:<page>         hash: conversation -> since when
--   p:<page>, field oo     1 while the page has opt-outs: the others pay nothing for the question

local function on_hold(ho)
  local ends = ho and string.match(ho, '^%S+')
  return ends and (ends == '-' or tonumber(ends) > now)
end

-- `any` is the page's field oo.
local function opted_out(any, page, conv)
  return any and redis.call('HEXISTS', K .. 'optouts:' .. page, conv) == 1
end
