-- Become the only one for a while. The term grows with every holder, also after a lease ran out.
-- KEYS  1 the slot
-- ARGV  1 the lease's key in the slot, 2 the number that the term is drawn from, 3 nonce, 4 holder, 5 milliseconds,
--       6 `1` to take it from whoever holds it
-- Reply the term (text), or nil where someone else holds it; the same nonce gets the same answer again
local slot, nonce = KEYS[1], ARGV[3]
local key = slot .. ARGV[1]
local held = redis.call('GET', key)
if held then
  local term, owner = string.match(held, '^(%d+) (%S+) ')
  if owner == nonce then
    return term
  elseif ARGV[6] ~= '1' then
    return nil
  end
end
local term = next_number(slot, ARGV[2], now_us())
redis.call('SET', key, term .. ' ' .. nonce .. ' ' .. ARGV[4], 'PX', ARGV[5])
return term
