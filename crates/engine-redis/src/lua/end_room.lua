-- Ends a room against its members' will -> { 1, members, (room, life) to close ... }
local room = ARGV[6]

if redis.call('EXISTS', room_of .. room) == 0 then return { ROOM_NOT_FOUND } end
-- However many there are: what they have entered is put right when it is read (rooms_of).
local members = count(room)
forget_room(room)
publish(room, '1 d\n')
return append_all({ 1, members }, to_close)
