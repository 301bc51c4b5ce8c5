-- Ends a room against its members' will -> { 1, members, (room, life) to close ... }
local room = ARGV[6]

if redis.call('EXISTS', room_of .. room) == 0 then return { ROOM_NOT_FOUND } end
local members = redis.call('ZRANGE', members_of .. room, 0, -1)
for _, client in ipairs(members) do redis.call('ZREM', entered_by .. client, room) end
forget_room(room)
publish(room, '1 d\n')
return append_all({ 1, #members }, to_close)
