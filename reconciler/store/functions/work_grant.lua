-- Let work that waited for its named lock into its lane.
-- KEYS  1 the host's slot
-- ARGV  1 id
-- Reply 1, or 0 where it does not wait (any more)
local slot, id = KEYS[1], ARGV[1]
local priority = redis.call('ZSCORE', slot .. 'held', id)
if not priority then
  return 0
end
redis.call('ZREM', slot .. 'held', id)
push(slot, id, priority)
return 1
