-- End claimed work of a host, or put it off until a later try. A run's record is kept for a while; a converge mark leaves
-- none. Saying the same thing twice is one finish. Of what was withdrawn it says that nothing runs any more; if that is
-- put off, someone else is to see to it.
-- KEYS  1 the host's slot
-- ARGV  1 seconds to keep the records; then for each piece of work, of which there are 100 at most: its id, attempt,
--       token, state, result (JSON), when to try again (Unix ms, for `retrying`), 1 where it may still run then
-- Reply for each 1, or 0 where the claim is stale: nothing was written of it
local slot, ttl, now = KEYS[1], ARGV[1], now_us()
local kept, replies = {}, {}

local function finish(id, attempt, token, state, result, retry_at, begun)
  local record = slot .. 'work:' .. id
  local known = redis.call('HMGET', record, 'attempt', 'token', 'state', 'kind', 'again', 'ending')
  if known[1] ~= attempt or known[2] ~= token then
    return 0
  end
  if known[6] then
    if state == 'retrying' then
      redis.call('DEL', slot .. 'inflight:' .. id)
    else
      settle_withdrawn(slot, id)
    end
    return 0
  elseif not in_flight(known[3]) then
    return 1
  end
  local kind, again = known[4], known[5]
  unqueue(slot, id)
  if again then
    redis.call('HSET', record, 'priority', again, 'created_at', seconds(now))
    renew_record(slot, id, again)
  elseif state == 'retrying' then
    redis.call('HSET', record, 'state', state, 'result', result)
    if begun ~= '1' then
      redis.call('HDEL', record, 'started_at')
    end
    redis.call('ZADD', slot .. 'delayed', retry_at, id)
  elseif kind == 'converge' then
    redis.call('DEL', record)
  else
    redis.call('HSET', record, 'state', state, 'result', result, 'finished_at', seconds(now))
    kept[#kept + 1] = id
  end
  return 1
end

for at = 2, #ARGV, 7 do
  replies[#replies + 1] = finish(unpack(ARGV, at, at + 6))
end
if #kept > 0 then
  keep_finished(slot, kept, now, ttl)
end
return replies
