-- Somebody listens to the room, so it is in use -> { 1 }
local meta = KEYS[1]
local log  = KEYS[2]
local ttl  = ARGV[1]

redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', log, ttl)
return { 1 }
