-- Leaves a room -> { 1, (room, life) to close ... }
local client = ARGV[6]
local gen    = ARGV[7]
local conn   = ARGV[8]
local room   = ARGV[9]

if not speaks(client, gen, conn) then return { SUPERSEDED } end
if not is_in(room, client) then return { NOT_IN_ROOM } end
exit(room, client)
return append_all({ 1 }, to_close)
