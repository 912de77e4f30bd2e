-- Add to what claimed work printed; the last 64 KiB are kept, for a week.
-- KEYS  1 the host's slot
-- ARGV  1 id, 2 attempt, 3 token, 4 text, which may be empty
-- Reply 1, or 0 where the claim is stale: the holder must stop
local slot, id, text = KEYS[1], ARGV[1], ARGV[4]
local record = slot .. 'work:' .. id
local known = redis.call('HMGET', record, 'attempt', 'token', 'state')
if known[1] ~= ARGV[2] or known[2] ~= ARGV[3] or not in_flight(known[3]) then
  return 0
end
if text ~= '' then
  local key = slot .. 'output:' .. id
  local length = redis.call('APPEND', key, text)
  if length > OUTPUT_BYTES then
    redis.call('SET', key, redis.call('GETRANGE', key, length - OUTPUT_BYTES, -1))
  end
  redis.call('EXPIRE', key, OUTPUT_SECONDS)
  redis.call('HINCRBY', record, 'output', #text)
end
return 1
