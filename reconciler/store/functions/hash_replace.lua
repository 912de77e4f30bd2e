-- Replace a whole hash, so that no field of the past stays behind.
-- KEYS  1 the hash
-- ARGV  field, value, field, value ...
-- Reply 1
redis.call('DEL', KEYS[1])
set_fields(KEYS[1], ARGV, 1, #ARGV)
return 1
