-- Hold a lease for longer. One that ran out is gone; its old holder must acquire it again, with a new term.
-- KEYS  1 the slot
-- ARGV  1 the lease's key in the slot, 2 term, 3 milliseconds from now
-- Reply 1, or 0 where it is not this term's any more
local key = KEYS[1] .. ARGV[1]
local held = redis.call('GET', key)
if not held or string.match(held, '^%d+') ~= ARGV[2] then
  return 0
end
return redis.call('PEXPIRE', key, ARGV[3])
