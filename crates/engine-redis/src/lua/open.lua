-- Begins a room's timeline, unless this life or a later one has one -> { 1 if it did }
local meta  = KEYS[1]
local log   = KEYS[2]
local overlay = KEYS[3]
local life  = ARGV[1]
local epoch = ARGV[2]
local ttl   = ARGV[3]

local present = redis.call('HGET', meta, 'life')
if present and tonumber(present) >= tonumber(life) then return { 0 } end
redis.call('DEL', meta, log, overlay)
redis.call('HSET', meta, 'life', life, 'epoch', epoch, 'seq', 0, 'at', 0)
redis.call('PEXPIRE', meta, ttl)
return { 1 }
