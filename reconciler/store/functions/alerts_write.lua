-- Replace the alerts of a host, or of the monitor's own, and note what changed.
-- KEYS  1 the slot
-- ARGV  1 term of the controller (0: a host speaks of itself), 2 how many transitions are kept, 3 number of alerts; then
--       for each its name and its form (JSON); then for each transition its form (JSON)
-- Reply nil when written, else the higher term (text) that refuses this one
local slot = KEYS[1]
local newer = newer_term(slot, ARGV[1])
if newer then
  return newer
end
local last = math.min(#ARGV, 3 + 2 * math.max(0, tonumber(ARGV[3])))
redis.call('DEL', slot .. 'alerts')
set_fields(slot .. 'alerts', ARGV, 4, last)
for at = last + 1, #ARGV do
  redis.call('XADD', slot .. 'transitions', 'MAXLEN', '~', ARGV[2], '*', 'transition', ARGV[at])
end
redis.call('HINCRBY', slot .. 'numbers', 'alerts', 1)
return nil
