-- How long ago a host was last heard from, by the server's clock.
-- KEYS  1 the host's slot
-- ARGV  none
-- Reply seconds (text), or nil for never
local seen = redis.call('HGET', KEYS[1] .. 'facts', 'seen_at')
return seen and string.format('%.3f', now_us() / 1000000 - tonumber(seen)) or nil
