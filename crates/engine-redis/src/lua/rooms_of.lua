-- The rooms that a connection's client is in -> { 1, room ... }
local client = ARGV[6]
local gen    = ARGV[7]
local conn   = ARGV[8]

if not speaks(client, gen, conn) then return { SUPERSEDED } end
local reply = { 1 }
for _, room in ipairs(rooms_of(client)) do reply[#reply + 1] = tonumber(room) end
return reply
