-- Ends a room's timeline, unless it is a later life's already -> { 1 if it did }
local meta = KEYS[1]
local log  = KEYS[2]
local overlay = KEYS[3]
local life = ARGV[1]

local present = redis.call('HGET', meta, 'life')
if present and tonumber(present) > tonumber(life) then return { 0 } end
redis.call('DEL', meta, log, overlay)
return { 1 }
