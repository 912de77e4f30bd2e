-- Replace what a host should be: its signed statement, its apps and their resolved config.
-- KEYS  1 the host's slot
-- ARGV  1 term, 2 generation, 3 statement, 4 signature, 5 sealed secrets (empty: none); then for each app: its name, its
--       record (JSON), the number of config texts that follow, and these: key, value, key, value ...
-- Reply 1 when written, else what refuses it: {`term` or `generation`, the stored one}
local slot, generation = KEYS[1], tonumber(ARGV[2])
local numbers, desired = slot .. 'numbers', slot .. 'desired'
local newer = newer_term(slot, ARGV[1])
if newer then
  return {'term', newer}
end
local stored = tonumber(redis.call('HGET', numbers, 'generation') or 0)
local before = redis.call('HGET', desired, 'statement')
if generation < stored or (generation == stored and before and before ~= ARGV[3]) then
  return {'generation', whole(stored)}
end
for _, field in ipairs(redis.call('HKEYS', desired)) do
  local app = string.match(field, '^app:(.*)$')
  if app then
    redis.call('DEL', slot .. 'config:' .. app)
  end
end
redis.call('DEL', desired)
redis.call('HSET', desired, 'statement', ARGV[3], 'signature', ARGV[4], 'generation', ARGV[2], 'term', ARGV[1])
if ARGV[5] ~= '' then
  redis.call('HSET', desired, 'sealed', ARGV[5])
end
local at = 6
while at <= #ARGV do
  local app, record, texts = ARGV[at], ARGV[at + 1], math.max(0, tonumber(ARGV[at + 2]))
  redis.call('HSET', desired, 'app:' .. app, record)
  set_fields(slot .. 'config:' .. app, ARGV, at + 3, at + 2 + texts)
  at = at + 3 + texts
end
redis.call('HSET', numbers, 'generation', ARGV[2])
redis.call('PERSIST', numbers)
return 1
