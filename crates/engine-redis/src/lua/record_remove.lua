-- Removes a document -> { 1, 1 if it was there }
local index = KEYS[1] -- as in record_put
local ends  = KEYS[2]
local stem  = KEYS[3]
local id    = ARGV[1]

redis.call('ZREM', index, id)
redis.call('ZREM', ends, id)
return { 1, redis.call('DEL', stem .. id) }
