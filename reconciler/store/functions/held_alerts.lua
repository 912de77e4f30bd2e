-- Apps whose alerts are held back now.
-- KEYS  1 the host's slot
-- ARGV  none
-- Reply their names
return redis.call('ZRANGEBYSCORE', KEYS[1] .. 'applying', seconds(now_us()), '+inf')
