-- Remember how far a schedule has come, unless somebody else has written meanwhile.
-- KEYS  1 the slot of control
-- ARGV  1 the schedule's name, 2 the version that was read (empty: there was none), 3 the new version, 4 the state (JSON),
--       5 seconds to keep it
-- Reply 1 written, also by an earlier try of this call; 0 somebody else has written
local key = KEYS[1] .. 'schedule:' .. ARGV[1]
local version = redis.call('HGET', key, 'version')
if version == ARGV[3] then
  return 1
end
if version and version ~= ARGV[2] then
  return 0
end
redis.call('HSET', key, 'version', ARGV[3], 'state', ARGV[4])
redis.call('EXPIRE', key, ARGV[5])
return 1
