-- Remember what channels were told; what is not named stays as it was.
-- KEYS  1 the slot of control
-- ARGV  1 term of the controller; then for each group its name and its form (JSON, empty: nothing any more)
-- Reply nil when written, else the higher term (text) that refuses this one
local slot = KEYS[1]
local newer = newer_term(slot, ARGV[1])
if newer then
  return newer
end
for at = 2, #ARGV, 2 do
  if ARGV[at + 1] == '' then
    redis.call('HDEL', slot .. 'told', ARGV[at])
  else
    redis.call('HSET', slot .. 'told', ARGV[at], ARGV[at + 1])
  end
end
return nil
