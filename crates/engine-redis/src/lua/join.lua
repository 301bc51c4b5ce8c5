-- Enters a room -> see joined()
local client           = ARGV[6]
local gen              = ARGV[7]
local conn             = ARGV[8]
local room             = ARGV[9]
local rooms_per_client = tonumber(ARGV[10])
local members_per_room = tonumber(ARGV[11])

if not speaks(client, gen, conn) then return { SUPERSEDED } end
if redis.call('EXISTS', room_of .. room) == 0 then return { ROOM_NOT_FOUND } end
if is_in(room, client) then return joined(room, 1, {}) end
if count(room) >= members_per_room then return { ROOM_FULL } end
local moved_from, fault = make_way(client, rooms_per_client)
if not moved_from then return { fault } end
enter(room, client)
return joined(room, 0, moved_from)
