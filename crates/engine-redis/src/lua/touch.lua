-- Somebody listens to the room, so it is in use -> { 1 }
local meta = KEYS[1]
local log  = KEYS[2]
local overlay = KEYS[3]
local ttl  = ARGV[1]

redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', log, ttl)
redis.call('PEXPIRE', overlay, ttl)
return { 1 }
