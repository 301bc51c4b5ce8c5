-- Which life a room is in -> { 1, life }
local room = ARGV[6]

local life = redis.call('HGET', room_of .. room, 'life')
if not life then return { ROOM_NOT_FOUND } end
return { 1, tonumber(life) }
