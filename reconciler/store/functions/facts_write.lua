-- Replace the facts of a host, stamped with the server's time: it was reached, whatever was said of it before.
-- KEYS  1 the host's slot
-- ARGV  fact, value (JSON), fact, value ...
-- Reply 1
local key = KEYS[1] .. 'facts'
redis.call('DEL', key)
redis.call('HSET', key, 'seen_at', seconds(now_us()))
set_fields(key, ARGV, 1, #ARGV)
return 1
