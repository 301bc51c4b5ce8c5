-- A room and its first members -> { 1, created, owner, members, (as list() has it) ..., name }
local room  = ARGV[6]
local limit = tonumber(ARGV[7])

local r = redis.call('HMGET', room_of .. room, 'created', 'owner', 'name')
if not r[1] then return { ROOM_NOT_FOUND } end
local reply = { 1, tonumber(r[1]), tonumber(r[2]), count(room) }
list(limit > 0 and redis.call('ZRANGE', members_of .. room, 0, limit - 1) or {}, reply)
reply[#reply + 1] = r[3]
return reply
