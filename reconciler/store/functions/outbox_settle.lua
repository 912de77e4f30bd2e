-- Record how an attempt ended: what was sent leaves, what was not is due again later.
-- KEYS  1 the slot of control
-- ARGV  1 the target's id, 2 the version of the turn, 3 state of the target (JSON), 4 seconds to keep it; then pairs of
--       an id and when it is due again (Unix ms), or empty: it was sent
-- Reply 1, or 0 where another turn was taken since: then only what was sent leaves
local slot, target = KEYS[1], ARGV[1]
local current = tonumber(redis.call('HGET', slot .. 'target:' .. target, 'version') or 0) == tonumber(ARGV[2])
if current then
  redis.call('HSET', slot .. 'target:' .. target, 'state', ARGV[3])
  redis.call('EXPIRE', slot .. 'target:' .. target, ARGV[4])
end
for at = 5, #ARGV, 2 do
  if ARGV[at + 1] == '' then
    redis.call('HDEL', slot .. 'unsent:' .. target, ARGV[at])
    redis.call('ZREM', slot .. 'due:' .. target, ARGV[at])
  elseif current then
    redis.call('ZADD', slot .. 'due:' .. target, 'XX', ARGV[at + 1], ARGV[at])
  end
end
return current and 1 or 0
