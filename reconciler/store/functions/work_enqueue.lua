-- Make work due. A run's id is enqueued once, ever; a converge mark coalesces with the one that is there, and where
-- that is in flight it is due again once the current run ends.
-- KEYS  1 the host's slot
-- ARGV  1 term of the asking controller or 0, 2 id, 3 kind, 4 args (JSON), 5 priority, 6 reason, 7 lane (`main` or
--       `side`), 8 the named lock that it waits for, or empty
-- Reply 1 newly due, 0 known already, or the higher term (text) that refuses this one
local slot, id, kind, args, priority, reason = KEYS[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local newer = newer_term(slot, ARGV[1])
if newer then
  return newer
end
local record = slot .. 'work:' .. id
local known = redis.call('HMGET', record, 'state', 'priority')
local state = known[1]
if not state then
  redis.call('HSET', record, 'kind', kind, 'args', args, 'priority', priority, 'reason', reason, 'state', 'queued',
    'lane', ARGV[7], 'lock', ARGV[8], 'created_at', seconds(now_us()))
  make_due(slot, id, priority, ARGV[8])
  return 1
end
if kind ~= 'converge' then
  return 0
end
redis.call('HSET', record, 'args', args, 'reason', reason)
if in_flight(state) then
  redis.call('HSET', record, 'again', priority)
  return 1
end
if state ~= 'queued' then
  redis.call('HSET', record, 'priority', priority)
  renew_record(slot, id, priority)
  return 1
end
if tonumber(priority) < tonumber(known[2]) then
  redis.call('HSET', record, 'priority', priority)
  push(slot, id, priority)
end
return 0
