-- Take a turn at a target: lease what is sent now, and replace what a digest stands for by the digest.
-- KEYS  1 the slot of control
-- ARGV  1 the target's id, 2 the version that the turn was decided on, 3 state of the target (JSON), 4 end of the lease
--       (Unix ms), 5 seconds to keep all this, 6 id of the digest, or empty, 7 its form (JSON), 8 how many are sent;
--       then their ids, then the ids that the digest stands for
-- Reply 1, or 0 where someone else took a turn since: nothing was written
local slot, target, version = KEYS[1], ARGV[1], tonumber(ARGV[2])
if tonumber(redis.call('HGET', slot .. 'target:' .. target, 'version') or 0) ~= version then
  return 0
end
redis.call('HSET', slot .. 'target:' .. target, 'version', whole(version + 1), 'state', ARGV[3])
if ARGV[6] ~= '' then
  redis.call('HSET', slot .. 'unsent:' .. target, ARGV[6], ARGV[7])
end
local sent = tonumber(ARGV[8])
for at = 9, 8 + sent do
  redis.call('ZADD', slot .. 'due:' .. target, ARGV[4], ARGV[at])
end
for at = 9 + sent, #ARGV do
  redis.call('HDEL', slot .. 'unsent:' .. target, ARGV[at])
  redis.call('ZREM', slot .. 'due:' .. target, ARGV[at])
end
for _, kind in ipairs({'target:', 'unsent:', 'due:'}) do
  redis.call('EXPIRE', slot .. kind .. target, ARGV[5])
end
return 1
