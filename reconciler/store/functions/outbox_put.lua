-- Put notifications into the outbox, each id once.
-- KEYS  1 the slot of control
-- ARGV  1 term of the controller, 2 seconds for which an id is remembered; then for each its id and its form (JSON)
-- Reply how many were new, or the higher term (text) that refuses this one
local slot, now = KEYS[1], now_us()
local newer = newer_term(slot, ARGV[1])
if newer then
  return newer
end
local old = seconds(now - tonumber(ARGV[2]) * 1000000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', slot .. 'outboxed', '-inf', old)) do
  redis.call('ZREM', slot .. 'outboxed', id)
end
local new = 0
for at = 3, #ARGV, 2 do
  if redis.call('ZADD', slot .. 'outboxed', 'NX', seconds(now), ARGV[at]) == 1 then
    redis.call('HSET', slot .. 'outbox', ARGV[at], ARGV[at + 1])
    new = new + 1
  end
end
redis.call('EXPIRE', slot .. 'outboxed', ARGV[2])
return new
