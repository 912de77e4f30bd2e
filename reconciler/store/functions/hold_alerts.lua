-- Hold back the alerts that name an app, since it is being applied; the mark ends by itself.
-- KEYS  1 the host's slot
-- ARGV  1 app, 2 seconds from now
-- Reply 1
local key, now = KEYS[1] .. 'applying', now_us()
redis.call('ZADD', key, seconds(now + tonumber(ARGV[2]) * 1000000), ARGV[1])
redis.call('EXPIRE', key, 86400)
return 1
