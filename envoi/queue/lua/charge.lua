-- What a claim charges to pages, their classes and their apps.

-- For one claim, with the limits of pages that have none of their own, and the cap of their calls in flight. Answers how to
-- ask for a page and a class of it, each read once, to charge for what is held, and to write what was charged.
local function charges(limits, cap0)
  -- What holds for all pages of an app, read once for each.
  local apps = {}
  local function app_of(name)
    name = name or ''
    if not apps[name] then
      local state = redis.call('HMGET', appkey(name), 'free', 'sf', 'st', 'sd', 'calls')
      apps[name] = {name = name, free = tonumber(state[1] or 0), left = left(state[2], state[3], state[4]), calls = state[5]}
    end
    return apps[name]
  end

  -- What a page says, read once: what claims change of it is written when all are made.
  local pages = {}
  local function page_at(name)
    if not pages[name] then
      local s = redis.call('HMGET', pkey(name),
        'paused', 'busy', 'cap', 'free', 'pace', 'k', 'tv', 'sf', 'st', 'ap', 'sd', 'ig', 'calls', 'oo', 'tfree')
      local app = app_of(s[10])
      local part = math.min(left(s[8], s[9], s[11]), app.left)
      pages[name] = {
        page = name, paused = s[1], busy = tonumber(s[2] or 0), cap = tonumber(s[3] or cap0), free = tonumber(s[4] or 0),
        k = tonumber(s[6] or 0), tv = s[7] or '0', app = app, part = part, calls = s[13], optouts = s[14],
        budget = s[12] and limits.instagram_calls or limits.calls, gap = gap_of(limits, s[5], s[12], part),
        tfree = tonumber(s[15] or 0), classes = {},
      }
    end
    return pages[name]
  end

  -- The same of a class of a page.
  local function class_at(p, letter)
    if letter and not p.classes[letter] then
      local s = redis.call('HMGET', pkey(p.page), letter .. 'free', letter .. 'pace', letter .. 'tfree')
      local gap, ahead = rate_of(limits, letter, s[2], p.part)
      p.classes[letter] = {letter = letter, free = tonumber(s[1] or 0), tfree = tonumber(s[3] or 0), gap = gap, ahead = ahead}
    end
    return letter and p.classes[letter]
  end

  -- The call budgets of page and app are charged for the whole job. Where they have no room for its courtesies these are left
  -- out; a message goes in any case.
  local function budget(p, held)
    local slot, fits = budgeted(p.calls, p.budget, held.calls)
    local app_slot, app_fits = nil, true
    if limits.app_calls > 0 then
      app_slot, app_fits = budgeted(p.app.calls, limits.app_calls, held.calls)
    end
    if held.calls > 1 and not held.typing and not (fits and app_fits) then
      held[10] = '1'
      slot = budgeted(p.calls, p.budget, 1)
      app_slot = app_slot and budgeted(p.app.calls, limits.app_calls, 1)
    end
    if app_slot then
      p.app.calls = stamp(app_slot)
      redis.call('HSET', appkey(p.app.name), 'calls', p.app.calls)
    end
    return stamp(slot)
  end

  -- What was charged is written with what else has changed.
  local function charged(whose, field, seconds)
    whose[field] = seconds
    whose.charged = whose.charged or {}
    whose.charged[field] = true
  end

  -- A job is charged when it is first claimed. One that comes back from its pause for typing, or from a begin that said
  -- "pace", is charged apart: else such jobs would go out at half the pace, and all at once after a stop if at no charge.
  local function charge(p, class, held)
    p.busy, p.calls, p.holds = p.busy + 1, budget(p, held), true
    if held.typing then
      local whose = class or p
      charged(whose, 'tfree', math.max(now, whose.tfree) + whose.gap)
      return
    end
    charged(p, 'free', math.max(now, p.free) + held.share * p.gap)
    if class and held.class == class.letter then
      charged(class, 'free', math.max(now, class.free) + class.gap)
    end
  end

  local function write(p)
    local fields = {'k', p.k}
    if p.holds then
      fields = {'k', p.k, 'busy', p.busy, 'room', p.cap, 'calls', p.calls}
      rooms[p.page] = nil
    end
    for field in pairs(p.charged or {}) do
      fields[#fields + 1] = field
      fields[#fields + 1] = stamp(p[field])
    end
    for letter, class in pairs(p.classes) do
      for field in pairs(class.charged or {}) do
        fields[#fields + 1] = letter .. field
        fields[#fields + 1] = stamp(class[field])
      end
    end
    redis.call('HSET', pkey(p.page), unpack(fields))
  end

  local function write_pages()
    for _, p in pairs(pages) do
      if p.looked then
        write(p)
      end
    end
  end

  return page_at, class_at, charge, write_pages
end
