-- Hand a notification from the outbox to the targets of its channel, each of which gets it once.
-- KEYS  1 the slot of control
-- ARGV  1 the notification's id, 2 when it is due (Unix ms), 3 seconds to keep what nobody takes; then the targets' ids
-- Reply 1, or 0 where it is not in the outbox any more
local slot, id, due, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local form = redis.call('HGET', slot .. 'outbox', id)
if not form then
  return 0
end
for at = 4, #ARGV do
  redis.call('HSET', slot .. 'unsent:' .. ARGV[at], id, form)
  redis.call('ZADD', slot .. 'due:' .. ARGV[at], 'NX', due, id)
  redis.call('EXPIRE', slot .. 'unsent:' .. ARGV[at], ttl)
  redis.call('EXPIRE', slot .. 'due:' .. ARGV[at], ttl)
end
redis.call('HDEL', slot .. 'outbox', id)
return 1
