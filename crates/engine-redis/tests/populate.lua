-- Writes what attaching, making rooms and joining write, at once: clients of one node, each in a room. (One line of it at a
-- time is joined to the next: no comments below.)
local m, gen, node, rooms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
for id = tonumber(ARGV[5]), tonumber(ARGV[6]) do
  local at, room = 1700000000000000 + id, 10000 + id % rooms
  redis.call('HSET', m .. 'client:' .. id, 'key', '0b1c9a3e-0000-4000-8000-000000000000', 'name', 'Name ' .. id,
    'presence', 'a', 'gen', gen, 'conn', id, 'node', node, 'since', 1700000000000 + id, 'ip', '192.0.2.' .. id % 250)
  redis.call('SADD', m .. 'held:' .. gen, id)
  redis.call('ZADD', m .. 'due', '+inf', id)
  redis.call('ZADD', m .. 'present', id, id)
  if redis.call('EXISTS', m .. 'room:' .. room) == 0 then
    local index = string.format('%016.0f-%09.0f', 1700000000000, room)
    redis.call('HSET', m .. 'room:' .. room, 'name', 'Room', 'owner', id, 'created', 1700000000000,
      'life', string.format('%.0f', at), 'index', index)
    redis.call('ZADD', m .. 'rooms', 0, index)
  end
  for _, key in ipairs({ 'members:', 'participants:' }) do redis.call('ZADD', m .. key .. room, at, id) end
  redis.call('ZADD', m .. 'ids:' .. room, id, id)
  redis.call('ZADD', m .. 'entered:' .. id, at, room)
end
return 1
