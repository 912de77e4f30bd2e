-- Remember that a host could not be reached; the moment of the first time stays. The next facts of the host end it.
-- KEYS  1 the host's slot
-- ARGV  1 why (JSON)
-- Reply 1
local key = KEYS[1] .. 'facts'
redis.call('HSETNX', key, 'unreachable_since', seconds(now_us()))
redis.call('HSET', key, 'unreachable', ARGV[1])
return 1
