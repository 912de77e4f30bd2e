-- Forget a host: everything in its slot except its numbers, which stay for a while so that a controller or executor
-- of the past is still refused.
-- KEYS  1 the host's slot
-- ARGV  1 term of the controller, 2 seconds to keep the numbers
-- Reply nil when done, else the higher term (text) that refuses this one
local slot = KEYS[1]
local newer = newer_term(slot, ARGV[1])
if newer then
  return newer
end
for _, field in ipairs(redis.call('HKEYS', slot .. 'desired')) do
  local app = string.match(field, '^app:(.*)$')
  if app then
    redis.call('DEL', slot .. 'config:' .. app)
  end
end
for _, app in ipairs(redis.call('HKEYS', slot .. 'observed')) do
  redis.call('DEL', slot .. 'applied:' .. app)
end
for _, index in ipairs({'queue', 'side', 'held', 'delayed', 'finished'}) do
  for _, id in ipairs(redis.call('ZRANGE', slot .. index, 0, -1)) do
    redis.call('DEL', slot .. 'work:' .. id, slot .. 'inflight:' .. id, slot .. 'output:' .. id)
  end
  redis.call('DEL', slot .. index)
end
redis.call('DEL', slot .. 'desired', slot .. 'observed', slot .. 'facts', slot .. 'ledger', slot .. 'lease',
  slot .. 'events', slot .. 'ready', slot .. 'keys', slot .. 'alerts', slot .. 'transitions',
  slot .. 'applying', slot .. 'asks', slot .. 'metrics', slot .. 'monitoring')
redis.call('EXPIRE', slot .. 'numbers', ARGV[2])
return nil
