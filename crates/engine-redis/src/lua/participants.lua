-- Everybody who was ever in a room, who came last first -> { 1, participants, n, n * id, n * name }
local room  = ARGV[6]
local limit = tonumber(ARGV[7])

if redis.call('EXISTS', room_of .. room) == 0 then return { ROOM_NOT_FOUND } end
local reply, names = { 1, redis.call('ZCARD', came_to .. room), 0 }, {}
if limit > 0 then
  for _, client in ipairs(redis.call('ZREVRANGE', came_to .. room, 0, limit - 1)) do
    reply[#reply + 1] = tonumber(client)
    names[#names + 1] = redis.call('HGET', client_of .. client, 'name') or ''
  end
end
reply[3] = #names
return append_all(reply, names)
