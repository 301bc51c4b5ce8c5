-- A room and its first members -> { 1, created, owner, members, n, n * id, name, n * name }
local room  = ARGV[6]
local limit = tonumber(ARGV[7])

local r = redis.call('HMGET', room_of .. room, 'created', 'owner', 'name')
if not r[1] then return { ROOM_NOT_FOUND } end
local reply = { 1, tonumber(r[1]), tonumber(r[2]), count(room), 0 }
local names = {}
if limit > 0 then
  for _, client in ipairs(redis.call('ZRANGE', members_of .. room, 0, limit - 1)) do
    reply[#reply + 1] = tonumber(client)
    names[#names + 1] = redis.call('HGET', client_of .. client, 'name') or ''
  end
end
reply[5] = #names
reply[#reply + 1] = r[3]
return append_all(reply, names)
