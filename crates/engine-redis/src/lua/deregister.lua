-- Gives a lease back -> { 1 }
local gen   = ARGV[5]
local grace = tonumber(ARGV[6])

if holds(gen) then lose_life(gen, now + grace) end
return { 1 }
