-- Charges all limits of a request, or none if one of them refuses it. See charge.go.
local time = redis.call('TIME')
local now = time[1] * 4000000 + time[2] * 4
local ahead, pass = {}, true
local function set(key, ticks)
  if ticks > 0 then
    redis.call('SET', key, string.format('%.0f', now + ticks), 'PX', math.ceil(ticks / 4000))
  end
end
for i, key in ipairs(KEYS) do
  local increment, tolerance = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  ahead[i] = math.max((tonumber(redis.call('GET', key)) or now) - now, 0)
  if ahead[i] > tolerance then
    -- The clock went backwards, or the limit was made smaller: what is ahead of the
    -- tolerance would refuse the client for as long as the clock went back.
    ahead[i] = tolerance
    set(key, tolerance)
  end
  if ARGV[3 * i] == '1' and ahead[i] + increment > tolerance then pass = false end
end
for i, key in ipairs(KEYS) do
  local after = ahead[i] + ARGV[3 * i - 2]
  if pass and after <= tonumber(ARGV[3 * i - 1]) then set(key, after) end
end
return ahead
