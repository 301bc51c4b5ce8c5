-- Gives a lease back -> { 1 }
local gen   = ARGV[6]
local grace = tonumber(ARGV[7])

if holds(gen) then lose_life(gen, now + grace) end
return { 1 }
