-- Makes a room and enters it, unless this is a retry of the request that made the client's last one -> see joined()
local client           = ARGV[6]
local gen              = ARGV[7]
local conn             = ARGV[8]
local name             = ARGV[9]
local rooms_per_client = tonumber(ARGV[10])
local request          = ARGV[11] -- or ''
local RANDOM           = 12

if not speaks(client, gen, conn) then return { SUPERSEDED } end
if request ~= '' then
  local last = redis.call('HMGET', client_of .. client, 'request', 'made')
  if last[1] == request and redis.call('HGET', room_of .. last[2], 'name') == name
    and is_in(last[2], client) then
    return joined(last[2], 1, {})
  end
end
local moved_from, fault = make_way(client, rooms_per_client)
if not moved_from then return { fault } end
local room = free_id(RANDOM, redis.call('ZCARD', rooms), room_of)
local index = string.format('%016.0f-%09.0f', now, tonumber(room))
redis.call('HSET', room_of .. room, 'name', name, 'owner', client, 'created', int(now), 'life', unique(), 'index', index)
redis.call('ZADD', rooms, 0, index)
enter(room, client)
redis.call('HSET', client_of .. client, 'request', request, 'made', room)
return joined(room, 0, moved_from)
