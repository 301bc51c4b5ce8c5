
-- Counts one -> { 1, ms to wait, 0 if it passed }
local counts = KEYS[1] -- see take()
local limit  = tonumber(ARGV[1])
local length = tonumber(ARGV[2]) -- ms

local clock = redis.call('TIME')
local wait = take(counts, limit, length, tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
return { 1, wait }
