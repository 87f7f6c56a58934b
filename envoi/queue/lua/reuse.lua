-- reuse: the attachment ids by which media that Meta has fetched once is sent again, and who fetches what has none yet.
-- KEYS[1] the queue's base. Keys touched: u: of the page and the media; c: of the conversation.
--   u:<page>:<digest>, string with a time to live: "i <attachment id> <when it was fetched>", or "f <job id>" while that
--   job's message call has it fetched
-- ARGV: op, conversation, fence, job id, page, digest of type and address, attachment id or "", seconds that a fetch may
--   take, seconds that an attachment id lives, seconds that it is kept until it is used for the first time
--   op ask     before the message call
--   op keep    the message was accepted, and this attachment id came with it
--   op forget  the attachment id was refused: the media is fetched again, for this job or one that was faster. A second
--              refusal is a job's last: it goes by its address then
--   op free    the message was not accepted: whoever asks next has the media fetched
-- Answers ask: {"id", attachment id} | {"fetch"} | {"wait", seconds: another job has it fetched}; the others: {"ok"}
-- Asked again (its answer was lost), it answers the same and changes nothing but the time to live.
-- use: clock
local op, conv, fence, id, attachment = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[7]
local fetch, life, unused = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local key, c = K .. 'u:' .. ARGV[5] .. ':' .. ARGV[6], K .. 'c:' .. conv
local found = redis.call('GET', key) or ''
local kept, at = string.match(found, '^i (%S+) (%S+)$')
local fetching = string.match(found, '^f (%S+)$')

local function take()
  redis.call('SET', key, 'f ' .. id, 'PX', math.ceil(fetch * 1000))
end

if op == 'ask' then
  local state = redis.call('HMGET', c, 'f', 'ur')
  if state[1] ~= fence then
    return {'fetch'} -- begin tells a stale holder that he is; he must not keep others waiting
  end
  local refused = state[2] or ''
  if refused == '*' then
    return {'fetch'} -- two were refused: it goes by its address, whatever others find
  elseif kept and kept ~= refused then
    -- Media that was sent once and never again is soon forgotten: each address may be another one.
    redis.call('EXPIREAT', key, math.ceil(tonumber(at) + life))
    return {'id', kept}
  elseif fetching and fetching ~= id then
    return {'wait', string.format('%.3f', redis.call('PTTL', key) / 1000)}
  end
  take()
  return {'fetch'}
elseif op == 'keep' then
  if kept ~= attachment then
    redis.call('SET', key, 'i ' .. attachment .. ' ' .. stamp(now), 'PX', math.ceil(math.min(life, unused) * 1000))
  end
elseif op == 'forget' then
  local state = redis.call('HMGET', c, 'f', 'ur')
  if state[1] == fence then
    redis.call('HSET', c, 'ur', (not state[2] or state[2] == attachment) and attachment or '*')
  end
  if kept == attachment then
    take()
  end
elseif op == 'free' and fetching == id then
  redis.call('DEL', key)
end
return {'ok'}
