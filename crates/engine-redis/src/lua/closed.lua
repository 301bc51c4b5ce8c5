-- A room's timeline has been removed -> { 1 }
local item = ARGV[6]

redis.call('ZREM', ended, item)
return { 1 }
