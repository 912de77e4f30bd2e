-- Record how apps of a host are.
-- KEYS  1 the host's slot
-- ARGV  1 token of the executor; then for each app: its name, the short form (JSON, empty: the app is gone from the
--       host), the long form (JSON, empty: as it was)
-- Reply 1, or 0 where a later executor has written: nothing was written
local slot, token = KEYS[1], tonumber(ARGV[1])
local numbers, observed = slot .. 'numbers', slot .. 'observed'
if token < tonumber(redis.call('HGET', numbers, 'observed') or 0) then
  return 0
end
redis.call('HSET', numbers, 'observed', ARGV[1])
for at = 2, #ARGV, 3 do
  local app, short, long = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if short == '' then
    redis.call('HDEL', observed, app)
    redis.call('DEL', slot .. 'applied:' .. app)
  else
    redis.call('HSET', observed, app, short)
    if long ~= '' then
      redis.call('SET', slot .. 'applied:' .. app, long)
    end
  end
end
return 1
