-- Keeps a lease -> { 1 if it holds, 0 if it is over; now; how often this is to be called each beat }
local gen         = ARGV[6]
local lease       = tonumber(ARGV[7])
local connections = ARGV[8]
local outage      = tonumber(ARGV[9])
local portion     = tonumber(ARGV[10])

pulse(outage)
local lease_end = holds(gen)
-- Nobody has swept it yet, but when its time is over others may act on that at any moment.
if not lease_end then return { 0, now, 0 } end
if tonumber(lease_end) <= now then
  lose_life(gen, now)
  return { 0, now, 0 }
end

redis.call('ZADD', leases, int(now + lease), gen)
redis.call('HSET', life_of .. gen, 'seen', int(now), 'connections', connections)
local cursor, node, done = unpack(redis.call('HMGET', life_of .. gen, 'cursor', 'node', 'done'))
for _, key in ipairs({ life_of .. gen, held_by .. gen, node_of .. (node or '') }) do
  redis.call('PEXPIRE', key, int(lease + ttl))
end
-- The common keys outlive all that they list.
for _, key in ipairs({ leases, lost, due, rooms, ended, state, present }) do
  redis.call('PEXPIRE', key, int(2 * (keep + ttl) + lease))
end

-- What is in use must not expire: a portion of the node's clients a call, all of them in about a hundred beats.
local scanned = redis.call('SSCAN', held_by .. gen, cursor or '0', 'COUNT', portion)
local clients, from = scanned[2], tonumber(done or '0')
local last = #clients
if last - from > 2 * portion then
  -- A small set comes whole, whatever is asked for: the rest of it another time.
  last = from + portion
  redis.call('HSET', life_of .. gen, 'done', last)
else
  redis.call('HSET', life_of .. gen, 'cursor', scanned[1], 'done', 0)
end
for i = from + 1, last do
  touch_client(clients[i], ttl)
  for _, room in ipairs(rooms_of(clients[i])) do touch_room(room) end
end
return { 1, now, math.ceil(redis.call('SCARD', held_by .. gen) / 100 / portion) }
