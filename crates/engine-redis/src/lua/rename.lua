-- Gives a client another name, and tells its rooms -> { 1 }
local client = ARGV[5]
local gen    = ARGV[6]
local conn   = ARGV[7]
local name   = ARGV[8]

if not speaks(client, gen, conn) then return { SUPERSEDED } end
rename(client, name)
return { 1 }
