-- What time it is here -> { 1, microseconds }
local clock = redis.call('TIME')
return { 1, tonumber(clock[1]) * 1000000 + tonumber(clock[2]) }
