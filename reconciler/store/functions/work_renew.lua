-- Hold claimed work for longer. A lease that ran out is renewed too, as long as nobody else has the work.
-- KEYS  1 the host's slot
-- ARGV  1 id, 2 attempt, 3 token, 4 milliseconds from now
-- Reply 1, or 0 where the claim is stale: the holder must stop
local known = redis.call('HMGET', KEYS[1] .. 'work:' .. ARGV[1], 'attempt', 'token', 'state')
if known[1] ~= ARGV[2] or known[2] ~= ARGV[3] or not in_flight(known[3]) then
  return 0
end
local lease = KEYS[1] .. 'inflight:' .. ARGV[1]
if redis.call('PEXPIRE', lease, ARGV[4]) == 0 then
  redis.call('SET', lease, 'renewed', 'PX', ARGV[4])
end
return 1
