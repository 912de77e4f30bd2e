-- Give a claimed run back: it keeps its place, and counts neither as lost nor as a try. Of what was withdrawn someone else
-- is to see to the end.
-- KEYS  1 the host's slot
-- ARGV  1 id, 2 attempt, 3 token, 4 why (JSON), 5 1 where it may still run, 6 for how many milliseconds nobody is given it
-- Reply 1, or 0 where the claim is stale: nothing was written of it
local slot, id = KEYS[1], ARGV[1]
local record, lease = slot .. 'work:' .. id, slot .. 'inflight:' .. id
local known = redis.call('HMGET', record, 'attempt', 'token', 'state', 'ending')
if known[1] ~= ARGV[2] or known[2] ~= ARGV[3] or not (known[4] or in_flight(known[3])) then
  return 0
end
if not known[4] then
  redis.call('HSET', record, 'state', 'queued', 'result', ARGV[4])
  if ARGV[5] ~= '1' then
    redis.call('HDEL', record, 'started_at')
  end
end
if ARGV[6] == '0' then
  redis.call('DEL', lease)
else
  redis.call('SET', lease, 'nobody', 'PX', ARGV[6])
end
return 1
