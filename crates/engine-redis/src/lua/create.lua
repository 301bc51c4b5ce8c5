-- Makes a room and enters it -> see joined()
local client           = ARGV[5]
local gen              = ARGV[6]
local conn             = ARGV[7]
local name             = ARGV[8]
local rooms_per_client = tonumber(ARGV[9])
local RANDOM           = 10

if not speaks(client, gen, conn) then return { SUPERSEDED } end
local moved_from, fault = make_way(client, rooms_per_client)
if not moved_from then return { fault } end
local room = free_id(RANDOM, redis.call('ZCARD', rooms), room_of)
local index = string.format('%016.0f-%09.0f', now, tonumber(room))
redis.call('HSET', room_of .. room, 'name', name, 'owner', client, 'created', int(now), 'life', unique(), 'index', index)
redis.call('ZADD', rooms, 0, index)
enter(room, client)
return joined(room, 0, moved_from)
