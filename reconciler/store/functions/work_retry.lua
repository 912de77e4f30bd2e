-- Make finished work, or work that waits for a retry, due now because a person asks; what succeeded is not run again.
-- KEYS  1 the host's slot
-- ARGV  1 id, 2 args (JSON) to do it with from now on, or empty: the same
-- Reply 1, or 0 where there is nothing that could be tried again
local slot, id = KEYS[1], ARGV[1]
local record = slot .. 'work:' .. id
local known = redis.call('HMGET', record, 'state', 'priority')
local state = known[1]
if not state or state == 'succeeded' or state == 'queued' or in_flight(state) then
  return 0
end
if ARGV[2] ~= '' then
  redis.call('HSET', record, 'args', ARGV[2])
end
renew_record(slot, id, known[2])
return 1
