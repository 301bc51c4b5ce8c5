-- How many there are -> { 1, clients that a connection speaks for, rooms }
local clients = redis.call('ZCARD', present)
-- Those of lives that are over are looked at when their grace is; nobody speaks for them meanwhile.
for _, gen in ipairs(redis.call('ZRANGE', lost, 0, 999)) do clients = clients - redis.call('SCARD', held_by .. gen) end
return { 1, math.max(clients, 0), redis.call('ZCARD', rooms) }
