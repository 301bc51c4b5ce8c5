-- Makes a connection speak for a client, and orders the one that did to be closed
-- -> { 1, client, resumed, rooms, room ..., previous generation or 0, key, name, previous connection, previous node }
local gen          = ARGV[6]
local node         = ARGV[7]
local conn         = ARGV[8]
local claimed      = ARGV[9]  -- an id, or ''
local claimed_key  = ARGV[10]
local fresh_key    = ARGV[11]
local name         = ARGV[12] -- or '': a guest is called after its id
local should_rename = ARGV[13] == '1'
local control_head = ARGV[14] -- a node's control channel is control_head .. node
local taken_over   = ARGV[15] -- the close code
local address      = ARGV[16] -- or ''
local RANDOM       = 17

if not holds(gen) then return { SUPERSEDED } end

local client, key, resumed = nil, nil, 0
if claimed ~= '' then
  local known = redis.call('HGET', client_of .. claimed, 'key')
  -- Forgotten and free: the session still proves whose it was. With another key it is somebody else's by now.
  if not known or known == claimed_key then client, key, resumed = claimed, claimed_key, 1 end
end
if not client then
  client, key = free_id(RANDOM, redis.call('ZCARD', due), client_of), fresh_key
end

local record = client_of .. client
if redis.call('EXISTS', record) == 0 then
  -- Rooms that outlived the record would be somebody else's.
  for _, room in ipairs(rooms_of(client)) do exit(room, client) end
  redis.call('HSET', record, 'key', key, 'name', name, 'presence', 'k')
end
local was = redis.call('HMGET', record, 'presence', 'gen', 'conn', 'node')
local previous = { 0, '', '' }
if was[1] == 'a' then
  if holds(was[2]) and not (was[2] == gen and was[3] == conn) then
    previous = { tonumber(was[2]), was[3], was[4] }
    -- Now, and not by whoever reads the reply: it may be lost. (As engine::control::Order has it.)
    local order = '{"order":"close","generation":' .. was[2] .. ',"connection":' .. was[3] .. ',"code":' .. taken_over .. '}'
    redis.call('PUBLISH', control_head .. was[4], '1 o\n' .. order)
  end
  redis.call('SREM', held_by .. was[2], client)
end
redis.call('HSET', record, 'presence', 'a', 'gen', gen, 'conn', conn, 'node', node, 'since', int(now), 'ip', address)
redis.call('ZADD', present, client, client)
redis.call('SADD', held_by .. gen, client)
redis.call('PEXPIRE', held_by .. gen, ttl)
redis.call('ZADD', due, '+inf', client)
touch_client(client, ttl)
if should_rename then rename(client, name) end

local reply = { 1, tonumber(client), resumed }
local entered = rooms_of(client)
reply[#reply + 1] = #entered
for _, room in ipairs(entered) do
  reply[#reply + 1] = tonumber(room)
  -- It may have entered through a node of a version without this list.
  redis.call('ZADD', ids_of .. room, client, client)
  if was[1] == 'g' then tell(room, 'b', client, '') end
end
return append_all(reply, { previous[1], key, redis.call('HGET', record, 'name'), previous[2], previous[3] })
