-- Whether this server takes a write -> { 1 }
local nothing = KEYS[1] -- a key that never is

redis.call('DEL', nothing)
return { 1 }
