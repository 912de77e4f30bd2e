-- End claimed work, or put it off until a later try. A run's record is kept for a while; a converge mark leaves none.
-- Saying the same thing twice is one finish.
-- KEYS  1 the host's slot
-- ARGV  1 id, 2 attempt, 3 token, 4 state, 5 result (JSON), 6 when to try again (Unix ms, for `retrying`),
--       7 seconds to keep the record
-- Reply 1, or 0 where the claim is stale: nothing was written
local slot, id, state, result = KEYS[1], ARGV[1], ARGV[4], ARGV[5]
local record, now = slot .. 'work:' .. id, now_us()
local known = redis.call('HMGET', record, 'attempt', 'token', 'state', 'kind', 'again', 'priority')
if known[1] ~= ARGV[2] or known[2] ~= ARGV[3] then
  return 0
end
if not in_flight(known[3]) then
  return 1
end
local kind, again = known[4], known[5]
redis.call('ZREM', slot .. 'queue', id)
redis.call('DEL', slot .. 'inflight:' .. id)
if again then
  redis.call('HSET', record, 'priority', again, 'created_at', seconds(now))
  renew_record(slot, id, again)
elseif state == 'retrying' then
  redis.call('HSET', record, 'state', state, 'result', result)
  redis.call('HDEL', record, 'started_at')
  redis.call('ZADD', slot .. 'delayed', ARGV[6], id)
elseif kind == 'converge' then
  redis.call('DEL', record)
else
  redis.call('HSET', record, 'state', state, 'result', result, 'finished_at', seconds(now))
  keep_finished(slot, id, now, ARGV[7])
end
return 1
