-- Cancel or supersede work in any state that is not finished. A holder learns of it when it renews; until it says that
-- it has ended what it ran, a run keeps its place, and if its lease runs out it is delivered once more, to be ended. So is
-- one that was put off or given back and may still run.
-- KEYS  1 the host's slot
-- ARGV  1 id, 2 state (`cancelled` or `superseded`), 3 reason, 4 seconds to keep the record
-- Reply the state it was in, or nil where there was nothing to withdraw
local slot, id = KEYS[1], ARGV[1]
local record = slot .. 'work:' .. id
local known = redis.call('HMGET', record, 'state', 'kind', 'reason', 'started_at', 'priority')
local state = known[1]
if not state or not (in_flight(state) or state == 'queued' or state == 'retrying') then
  return nil
end
if known[2] == 'converge' then
  unqueue(slot, id)
  redis.call('DEL', record)
else
  local now = now_us()
  redis.call('HSET', record, 'state', ARGV[2], 'reason', ARGV[3], 'asked_for', known[3] or '', 'lost', 0,
    'finished_at', seconds(now))
  if in_flight(state) then
    redis.call('HSET', record, 'ending', 1)
  elseif known[4] then
    redis.call('HSET', record, 'ending', 1)
    if redis.call('ZREM', slot .. 'delayed', id) == 1 then
      push(slot, id, known[5])
    end
  else
    redis.call('HSET', record, 'token', 0)
    unqueue(slot, id)
  end
  keep_finished(slot, {id}, now, ARGV[4])
end
return state
