-- What the functions share. A "slot" is the key prefix of one host (`rc:{web-1}:`) or of control (`rc:{_}:`).

local LOST_LIMIT = 3
local UNBEGUN_LIMIT = 20
local FINISHED_KEPT = 1000
local OUTPUT_BYTES = 65536
local OUTPUT_SECONDS = 604800

-- The server's time, in microseconds; exact, since a Lua number holds whole numbers up to 2^53.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Unix seconds as text, the form of every time in a hash.
local function seconds(us)
  return string.format('%.6f', us / 1000000)
end

-- A number as text without an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

-- The next value of a number that only grows. It is at least the present time in microseconds, so that it grows also
-- when everything that Redis knew was lost.
local function next_number(slot, field, now)
  local last = tonumber(redis.call('HGET', slot .. 'numbers', field) or 0)
  local value = whole(math.max(last + 1, now))
  redis.call('HSET', slot .. 'numbers', field, value)
  return value
end

-- The stored term where it is above the given one, else nil. A term of 0 is nobody's and is let through.
local function newer_term(slot, term)
  local stored = tonumber(redis.call('HGET', slot .. 'numbers', 'term') or 0)
  term = tonumber(term)
  if term == 0 or term == stored then
    return nil
  end
  if term < stored then
    return whole(stored)
  end
  redis.call('HSET', slot .. 'numbers', 'term', whole(term))
  return nil
end

-- HSET of a flat list of fields and values, from a position on, in pieces that fit Lua's stack.
local function set_fields(key, list, first, last)
  for from = first, last, 1000 do
    redis.call('HSET', key, unpack(list, from, math.min(from + 999, last)))
  end
end

-- Put an id at the end of its priority in its lane: `queue`, or `side` for what changes no resources.
local function push(slot, id, priority)
  local lane = redis.call('HGET', slot .. 'work:' .. id, 'lane') == 'side' and 'side' or 'queue'
  local sequence = redis.call('HINCRBY', slot .. 'numbers', 'sequence', 1)
  redis.call('ZADD', slot .. lane, whole(tonumber(priority) * 1e12 + sequence), id)
end

-- Whether someone holds this state's work.
local function in_flight(state)
  return state == 'leased' or state == 'running'
end

-- Take an id out of everything that could deliver it.
local function unqueue(slot, id)
  for _, index in ipairs({'queue', 'side', 'held', 'delayed'}) do
    redis.call('ZREM', slot .. index, id)
  end
  redis.call('DEL', slot .. 'inflight:' .. id)
end

-- Take out work that was withdrawn while someone had it, and of which nothing runs any more; no claim on it is good.
local function settle_withdrawn(slot, id)
  unqueue(slot, id)
  redis.call('HDEL', slot .. 'work:' .. id, 'ending')
  redis.call('HSET', slot .. 'work:' .. id, 'token', 0)
end

-- Keep records as finished for so many seconds, and list them; of too many the oldest leave the list, with their output.
local function keep_finished(slot, ids, now, ttl)
  local index, entries = slot .. 'finished', {}
  for _, id in ipairs(ids) do
    redis.call('EXPIRE', slot .. 'work:' .. id, ttl)
    entries[#entries + 1] = seconds(now)
    entries[#entries + 1] = id
  end
  redis.call('ZADD', index, unpack(entries))
  for _, id in ipairs(redis.call('ZRANGE', index, 0, -FINISHED_KEPT - 1)) do
    redis.call('DEL', slot .. 'output:' .. id)
  end
  redis.call('ZREMRANGEBYRANK', index, 0, -FINISHED_KEPT - 1)
  redis.call('EXPIRE', index, ttl)
end

-- Make a record due: at once, or once its named lock is granted.
local function make_due(slot, id, priority, lock)
  if lock and lock ~= '' then
    redis.call('ZADD', slot .. 'held', priority, id)
  else
    push(slot, id, priority)
  end
end

-- Make a record due again from the start: nobody's, never tried, and for the reason that it had before it was withdrawn.
local function renew_record(slot, id, priority)
  local record = slot .. 'work:' .. id
  local asked_for = redis.call('HGET', record, 'asked_for')
  if asked_for then
    redis.call('HSET', record, 'reason', asked_for)
  end
  redis.call('PERSIST', record)
  redis.call('HDEL', record, 'again', 'ending', 'result', 'started_at', 'finished_at', 'asked_for')
  redis.call('HSET', record, 'state', 'queued', 'attempt', 0, 'lost', 0, 'unbegun', 0, 'token', 0)
  redis.call('ZREM', slot .. 'finished', id)
  for _, index in ipairs({'queue', 'side', 'delayed'}) do
    redis.call('ZREM', slot .. index, id)
  end
  make_due(slot, id, priority, redis.call('HGET', record, 'lock'))
end
