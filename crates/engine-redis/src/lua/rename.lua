-- Gives a client another name, and tells its rooms -> { 1 }
local client = ARGV[6]
local gen    = ARGV[7]
local conn   = ARGV[8]
local name   = ARGV[9]

if not speaks(client, gen, conn) then return { SUPERSEDED } end
rename(client, name)
return { 1 }
