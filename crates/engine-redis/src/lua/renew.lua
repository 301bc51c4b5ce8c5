-- Begins another epoch in place of one whose positions were lost, and tells who listens
-- -> { 1 }, also if that was done already, or { -1 } without a timeline
local meta    = KEYS[1]
local channel = ARGV[1]
local lost    = ARGV[2]
local fresh   = ARGV[3]

local epoch = redis.call('HGET', meta, 'epoch')
if not epoch then return { -1 } end
if epoch == lost then
  redis.call('HSET', meta, 'epoch', fresh)
  redis.call('PUBLISH', channel, '1 m\n')
end
return { 1 }
