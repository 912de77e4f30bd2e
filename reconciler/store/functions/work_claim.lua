-- Lease the most urgent work that nobody holds. Work whose lease ran out is delivered again, and buried as dead when
-- that has happened three times. A run that had not begun is buried only after 20 times: what was merely waiting for its
-- turn is not to blame for the death of its executor. What was withdrawn or buried and may still run is handed out in the
-- state that it is in, to be ended, and forgotten after three times. The latest nonce, asked again, hands out the same claims.
-- Where only one kind is asked for, nothing of it overtakes the other kind, and of runs in the main lane only the very
-- first of the lane is handed out: so everything that changes resources keeps its order.
-- KEYS  1 the host's slot
-- ARGV  1 holder, 2 nonce, 3 how many at most, 4 lease in milliseconds, 5 seconds to keep what is buried, 6 lane
--       (`main` or `side`), 7 kind, or empty: any
-- Reply a list of {id, kind, args, priority, attempt, deliveries, token, reason, created_at, started_at, state}
local slot, holder, nonce, limit, lease, ttl = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local queue, kind, now = slot .. (ARGV[6] == 'side' and 'side' or 'queue'), ARGV[7], now_us()
local alone = kind == 'run' and ARGV[6] ~= 'side'
local asked = 'nonce:' .. ARGV[6] .. ':' .. kind
local numbers = redis.call('HMGET', slot .. 'numbers', 'token', asked)
local token = tonumber(numbers[1] or 0)
local claims = {}

-- All of a record that a claim needs: the reply without the id, then state and lost.
local function record_of(id)
  return redis.call('HMGET', slot .. 'work:' .. id, 'kind', 'args', 'priority', 'attempt', 'deliveries', 'token',
    'reason', 'created_at', 'started_at', 'state', 'lost', 'unbegun', 'ending')
end

local function hand_out(id, known)
  claims[#claims + 1] = {id, unpack(known, 1, 10)}
end

local function bury(id, reason)
  redis.call('HSET', slot .. 'work:' .. id, 'state', 'dead', 'ending', 1, 'finished_at', seconds(now), 'reason', reason)
  keep_finished(slot, {id}, now, ttl)
end

-- Whether the id is still in the queue afterwards: 1 or 0.
local function deliver(id)
  local known = record_of(id)
  local state, attempt = known[10], tonumber(known[4] or 0)
  local lost, unbegun = tonumber(known[11] or 0), tonumber(known[12] or 0)
  if not state then
    unqueue(slot, id)
    return 0
  end
  if known[13] then
    lost = lost + 1
    if lost >= LOST_LIMIT then
      settle_withdrawn(slot, id)
      return 0
    end
  elseif in_flight(state) then
    if state == 'leased' and known[1] == 'run' then
      unbegun = unbegun + 1
    else
      lost = lost + 1
    end
    if lost >= LOST_LIMIT or unbegun >= UNBEGUN_LIMIT then
      bury(id, lost >= LOST_LIMIT and 'lost ' .. lost .. ' times' or 'lost ' .. unbegun .. ' times before it began')
      if known[1] ~= 'run' or not known[9] then
        settle_withdrawn(slot, id)
        return 0
      end
      state, known[13], lost = 'dead', '1', 0
    end
  else
    attempt = attempt + 1
  end
  token = math.max(token + 1, now)
  known[10] = known[13] and state or 'leased'
  known[4], known[5], known[6] = whole(attempt), whole(tonumber(known[5] or 0) + 1), whole(token)
  redis.call('HSET', slot .. 'work:' .. id, 'state', known[10], 'attempt', known[4], 'lost', lost,
    'unbegun', unbegun, 'deliveries', known[5], 'token', known[6])
  redis.call('SET', slot .. 'inflight:' .. id, nonce .. ' ' .. holder, 'PX', lease)
  hand_out(id, known)
  return 1
end

if numbers[2] == nonce then
  local mine = nonce .. ' ' .. holder
  for _, id in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
    if redis.call('GET', slot .. 'inflight:' .. id) == mine then
      hand_out(id, record_of(id))
    end
  end
  return claims
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', slot .. 'delayed', '-inf', whole(now / 1000), 'LIMIT', 0, 100)) do
  redis.call('ZREM', slot .. 'delayed', id)
  redis.call('HSET', slot .. 'work:' .. id, 'state', 'queued')
  push(slot, id, redis.call('HGET', slot .. 'work:' .. id, 'priority') or 5)
end

-- A short page first: most often nothing is in flight. What leaves the queue on the way moves the next page up.
local page, passed, barred = limit, 0, false
repeat
  local ids = redis.call('ZRANGE', queue, passed, passed + page - 1)
  local last = #ids < page
  for _, id in ipairs(ids) do
    barred = barred or (alone and passed > 0)
      or (kind ~= '' and (redis.call('HGET', slot .. 'work:' .. id, 'kind') or kind) ~= kind)
    if not barred and #claims < limit and redis.call('EXISTS', slot .. 'inflight:' .. id) == 0 then
      passed = passed + deliver(id)
    else
      passed = passed + 1
    end
  end
  page = 16
until last or barred or #claims >= limit

if #claims > 0 then
  redis.call('HSET', slot .. 'numbers', 'token', whole(token), asked, nonce)
end
return claims
