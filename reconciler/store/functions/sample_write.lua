-- Record one sample of a host: the latest values, a point of each series that is kept, and roll-ups of 5 minutes that
-- are over. A series is one string an hour: the step in milliseconds (4 bytes), then a float32 for each step, NaN where
-- there is none, made whole at first so that it never takes more memory. A roll-up is one string a day: average and
-- highest of each 5 minutes, float32. A sample that is older than the latest changes only its series.
-- KEYS  1 the host's slot
-- ARGV  1 seconds since it was taken, 2 step in milliseconds, 3 seconds to keep series, 4 seconds to keep roll-ups,
--       5 for each value 1 where it is a series, else 0 (text of that length), 6 the values (doubles, little endian),
--       7-11 cpu, mem, disk, network, status (text), 12 ... names of the values
-- Reply the server's time (text), 1 where series were written, 0 where memory is short, apps whose alerts are held
local FIRST, BUCKET, BUCKETS = 12, 300, 288
local slot, step = KEYS[1], tonumber(ARGV[2])
local now = now_us()
local at = now / 1000000 - tonumber(ARGV[1])
local writing = redis.call('EXISTS', slot .. 'full') == 0
local nan = struct.pack('<f', 0 / 0)

local function put(key, offset, packed, blank, ttl)
  if redis.call('STRLEN', key) == 0 then
    redis.call('SET', key, blank(), 'EX', ttl)
  end
  redis.call('SETRANGE', key, offset, packed)
end

local function write_point(name, value)
  local hour = math.floor(at / 3600)
  local key = slot .. 'series:' .. name .. ':' .. whole(hour)
  local head = redis.call('GETRANGE', key, 0, 3)
  local kept_step = #head == 4 and struct.unpack('<I4', head) or step
  local place = math.floor((at - hour * 3600) * 1000 / kept_step)
  put(key, 4 + 4 * place, struct.pack('<f', value), function()
    return struct.pack('<I4', step) .. string.rep(nan, math.ceil(3600000 / step))
  end, ARGV[3])
end

local function roll_up(name, bucket)
  local hour = math.floor(bucket * BUCKET / 3600)
  local key = slot .. 'series:' .. name .. ':' .. whole(hour)
  local head = redis.call('GETRANGE', key, 0, 3)
  if #head < 4 then
    return
  end
  local kept_step = struct.unpack('<I4', head)
  local from = (bucket * BUCKET - hour * 3600) * 1000
  local first, last = math.ceil(from / kept_step), math.ceil((from + BUCKET * 1000) / kept_step) - 1
  if last < first then
    return
  end
  local points = redis.call('GETRANGE', key, 4 + 4 * first, 7 + 4 * last)
  local count, sum, highest, position = 0, 0, nil, 1
  while position + 3 <= #points do
    local value
    value, position = struct.unpack('<f', points, position)
    if value == value then
      count, sum = count + 1, sum + value
      highest = (not highest or value > highest) and value or highest
    end
  end
  if count > 0 then
    local day = math.floor(bucket / BUCKETS)
    put(slot .. 'rollup:' .. name .. ':' .. whole(day), 8 * (bucket - day * BUCKETS),
      struct.pack('<ff', sum / count, highest), function() return string.rep(nan, 2 * BUCKETS) end, ARGV[4])
  end
end

local bucket = math.floor(at / BUCKET)
local known = redis.call('HMGET', slot .. 'metrics', 'sampled_at', 'rolled_up_to')
local newest = at >= tonumber(known[1] or 0)
local unrolled = math.max(tonumber(known[2] or bucket), bucket - 12)
local fields = {'cpu', ARGV[7], 'mem', ARGV[8], 'disk', ARGV[9], 'network', ARGV[10], 'status', ARGV[11],
  'sampled_at', seconds(at * 1000000), 'rolled_up_to', whole(math.max(bucket, unrolled))}
local position = 1
for index = FIRST, #ARGV do
  local name, value = ARGV[index], nil
  value, position = struct.unpack('<d', ARGV[6], position)
  fields[#fields + 1] = name
  fields[#fields + 1] = value == math.floor(value) and whole(value) or string.format('%.3f', value)
  if writing and string.sub(ARGV[5], index - FIRST + 1, index - FIRST + 1) == '1' then
    for past = unrolled, bucket - 1 do
      roll_up(name, past)
    end
    write_point(name, value)
  end
end
if newest then
  redis.call('DEL', slot .. 'metrics')
  set_fields(slot .. 'metrics', fields, 1, #fields)
end
return {seconds(now), writing and 1 or 0, redis.call('ZRANGEBYSCORE', slot .. 'applying', seconds(now), '+inf')}
