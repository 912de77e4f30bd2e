-- Lease the most urgent work that nobody holds. Work whose lease ran out is delivered again, and buried as dead when
-- that has happened three times. Asking again with the same nonce hands out the same claims.
-- KEYS  1 the host's slot
-- ARGV  1 holder, 2 nonce, 3 how many at most, 4 lease in milliseconds, 5 seconds to keep what is buried
-- Reply a list of {id, kind, args, priority, attempt, deliveries, token, reason, created_at, started_at}
local slot, holder, nonce, limit, lease, ttl = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local queue, now = slot .. 'queue', now_ms()
local claims = {}

local function hand_out(id)
  claims[#claims + 1] = redis.call('HMGET', slot .. 'work:' .. id, 'kind', 'args', 'priority', 'attempt',
    'deliveries', 'token', 'reason', 'created_at', 'started_at')
  table.insert(claims[#claims], 1, id)
end

local function bury(id, lost)
  unqueue(slot, id)
  redis.call('HSET', slot .. 'work:' .. id, 'state', 'dead', 'lost', lost, 'token', 0, 'finished_at', seconds(now),
    'reason', 'lost ' .. lost .. ' times')
  keep_finished(slot, id, ttl)
end

local function deliver(id)
  local record = slot .. 'work:' .. id
  local known = redis.call('HMGET', record, 'state', 'attempt', 'deliveries', 'lost')
  local state, attempt, lost = known[1], tonumber(known[2] or 0), tonumber(known[4] or 0)
  if not state then
    unqueue(slot, id)
    return
  end
  if in_flight(state) then
    lost = lost + 1
    if lost >= LOST_LIMIT then
      return bury(id, lost)
    end
  else
    attempt = attempt + 1
  end
  redis.call('HSET', record, 'state', 'leased', 'attempt', attempt, 'lost', lost, 'holder', holder,
    'deliveries', tonumber(known[3] or 0) + 1, 'token', next_number(slot, 'token'))
  redis.call('SET', slot .. 'inflight:' .. id, nonce, 'PX', lease)
  hand_out(id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', slot .. 'delayed', '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', slot .. 'delayed', id)
  redis.call('HSET', slot .. 'work:' .. id, 'state', 'queued')
  push(slot, id, redis.call('HGET', slot .. 'work:' .. id, 'priority') or 5)
end

local page, passed = limit + 15, 0
while #claims < limit do
  local ids = redis.call('ZRANGE', queue, passed, passed + page - 1)
  if #ids == 0 then
    break
  end
  local names = {}
  for index, id in ipairs(ids) do
    names[index] = slot .. 'inflight:' .. id
  end
  local holders = redis.call('MGET', unpack(names))
  for index, id in ipairs(ids) do
    if holders[index] == nonce then
      hand_out(id)
    end
  end
  for index, id in ipairs(ids) do
    if not holders[index] and #claims < limit then
      deliver(id)
    end
  end
  passed = passed + #ids
end
return claims
