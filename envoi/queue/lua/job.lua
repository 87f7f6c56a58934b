-- A job: j:<id>, string, never changed after enqueueing: a header line and the payload, JSON that no script reads.
--   header: format version, lane (r|b), key digest or -, expires (seconds), attempts allowed or -, conversation and, if
--   there are any, what scripts must know of its options: name=value, joined by ";"
--     m=1    it carries media (envoi/pace.py)    n=<calls>  calls that it is made of, if not one and, to a person, two of typing
--     act=1  its one call is a sender action: a courtesy, which is never in doubt and may be made again
--     oi=1   it goes to a person who has opted out too
-- A format that a worker does not know is left to others: 1 is all it takes for messages, actions came with 2.
local FORMAT = 2

-- The header in the text of a job; nil if there is none.
local function header_in(text)
  local version, lane, key, expires, attempts, conv, options =
    string.match(text, '^(%d+) ([rb]) (%S+) (%S+) (%S+) (%S+) ?([^\n]*)\n')
  if not version then
    return nil
  end
  return {
    version = tonumber(version), lane = lane, key = key, expires = tonumber(expires), attempts = attempts, conv = conv,
    options = options, page = string.match(conv, '^[^/]+'),
  }
end

-- The header of a job; nil if the job is not here (any more).
local function header(id)
  local text
  for _, size in ipairs({'255', '16383'}) do -- a long recipient makes a long header; few jobs need the second look
    text = redis.call('GETRANGE', K .. 'j:' .. id, '0', size)
    if #text <= tonumber(size) or string.find(text, '\n', 1, true) then
      break
    end
  end
  return header_in(text)
end

-- What a job says of one option; nil if it says nothing.
local function option(h, name)
  if not string.find(h.options, name .. '=', 1, true) then -- most jobs have few
    return nil
  end
  return string.match(';' .. h.options .. ';', ';' .. name .. '=([^;]*);')
end

-- Whether a job is an action; not where its text is gone.
local function acts(id)
  local h = header(id)
  return h ~= nil and option(h, 'act') ~= nil
end

-- Where the app is told what became of a job that says out=<where>,<key>: a stream of the app's own, or one that a
-- scheduler publishes Celery tasks from (envoi/outcomes.py). Every script that settles touches tasks or out: so.
local function outcome_stream(out)
  local name = string.match(out, '^stream:([^,]+)')
  return name and K .. 'out:' .. name or K .. 'tasks'
end

-- The app is told in the very script that settles, so no outcome is lost between the two. Empty values are left out.
local function tell(out, id, state, fields)
  local entry = {'XADD', outcome_stream(out), '*', 'j', id, 's', state, 't', fields.at, 'o', out}
  for name, value in pairs({m = fields.message_id, r = fields.recipient_id, x = fields.error}) do
    if value ~= '' then
      entry[#entry + 1] = name
      entry[#entry + 1] = value
    end
  end
  redis.call(unpack(entry))
end

-- A settled job: its key stays taken and its status readable for a while (ttl and key ttl, seconds, are the last two
-- arguments of every script that settles). The payload stays for the log writer, which deletes it after its commit.
local function settled(id, h, state, fields, calls)
  local accepted = fields.accepted
  fields.accepted = nil
  fields.state = state
  fields.at = stamp(now)
  local out = fields.out or h and option(h, 'out')
  fields.out = state == 'unknown' and out or nil -- a fact may correct it when the job itself is gone
  if out then
    tell(out, id, state, fields)
  end
  redis.call('SET', K .. 's:' .. id, cjson.encode(fields), 'EX', ARGV[#ARGV - 1])
  if h and h.key ~= '-' then
    redis.call('EXPIRE', K .. 'k:' .. h.page .. ':' .. h.key, ARGV[#ARGV])
  end
  event(state, id, 'a', fields.attempts, 'm', fields.message_id, 'r', fields.recipient_id, 'x', fields.error,
    'w', accepted, 'c', calls)
end

-- What is said of a job when nobody else can say anything.
local function trouble(message)
  return cjson.encode({message = message})
end
