-- Say that claimed work begins now.
-- KEYS  1 the host's slot
-- ARGV  1 id, 2 attempt, 3 token
-- Reply 1, or 0 where the claim is stale
local record = KEYS[1] .. 'work:' .. ARGV[1]
local known = redis.call('HMGET', record, 'attempt', 'token', 'state')
if known[1] ~= ARGV[2] or known[2] ~= ARGV[3] or not in_flight(known[3]) then
  return 0
end
redis.call('HSET', record, 'state', 'running', 'started_at', seconds(now_us()))
return 1
