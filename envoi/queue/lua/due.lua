-- The queues that one claim takes in turn.
local REPLIES_FIRST, BULK_FIRST = {'r', 'b'}, {'b', 'r'}

-- For a claim of `want` conversations. Answers how to pick the next, to say from when on one is to be looked at, to keep one
-- from being looked at, and to write what was said.
local function due_queues(want)
  -- The queues of each lane that are due, read some at once: the longest due first. One that is due still goes behind all of
  -- them, and its hint is written when the next are read, or at the end.
  local due, hints, SOME = {}, {r = {}, b = {}}, want + 8
  local function write_hints(lane)
    local words = {}
    for queue, hint in pairs(hints[lane]) do
      words[#words + 1], words[#words + 2] = hint, queue
      if #words == 1000 then -- so many go to a function at once
        redis.call('ZADD', K .. 'pages:' .. lane, unpack(words))
        words = {}
      end
    end
    if #words > 0 then
      redis.call('ZADD', K .. 'pages:' .. lane, unpack(words))
    end
    hints[lane] = {}
  end

  local function read_due(lane)
    write_hints(lane)
    local found = redis.call('ZRANGEBYSCORE', K .. 'pages:' .. lane, '-inf', stamp(now), 'LIMIT', '0', SOME)
    due[lane] = {queues = found, at = 1, read = #found}
    return due[lane]
  end

  -- The queue whose turn it is: replies first, one turn in ten bulk first. The turns after the first are noted at the end.
  local turn, turns = nil, 0
  local function pick()
    turns = turns + 1
    turn = turn and turn + 1 or redis.call('INCR', K .. 'turn')
    for _, lane in ipairs(turn % 10 == 0 and BULK_FIRST or REPLIES_FIRST) do
      local some = due[lane] or read_due(lane)
      if some.at > some.read and some.read == SOME then -- there are more, and these have waited longer
        some = read_due(lane)
      end
      local queue = some.queues[some.at]
      if queue then
        some.at = some.at + 1
        return queue, lane
      end
    end
  end

  -- From when on a queue with waiting conversations is to be looked at.
  local function look_from(queue, lane, seconds)
    hints[lane][queue] = stamp(seconds)
    local some = due[lane]
    if some and seconds <= now then
      some.queues[#some.queues + 1] = queue
    end
  end

  -- Nothing waits in a queue, or its page may not send.
  local function drop(queue, lane)
    withhold(queue, lane)
    hints[lane][queue] = nil
  end

  -- It had the turn of its lane `from`, which stays its own, and gave to another lane.
  local function gave(queue, from, lane, seconds)
    hints[lane][queue] = stamp(seconds)
    due[from].at = due[from].at - 1
  end

  local function write_all()
    write_hints('r')
    write_hints('b')
    if turns > 1 then
      redis.call('INCRBY', K .. 'turn', turns - 1)
    end
  end

  return pick, look_from, drop, gave, write_all
end
