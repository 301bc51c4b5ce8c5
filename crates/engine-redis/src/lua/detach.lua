-- A connection is lost; the client stays a member for a while, and its rooms are told -> { 1 }
local client = ARGV[6]
local gen    = ARGV[7]
local conn   = ARGV[8]
local grace  = tonumber(ARGV[9])

if not speaks(client, gen, conn) then return { 1 } end
redis.call('SREM', held_by .. gen, client)
local entered = rooms_of(client)
if #entered == 0 then
  retire(client)
else
  redis.call('ZREM', present, client)
  redis.call('HSET', client_of .. client, 'presence', 'g')
  redis.call('ZADD', due, int(now + grace), client)
  touch_client(client, grace + ttl)
  for _, room in ipairs(entered) do
    touch_room(room)
    tell(room, 'a', client, '')
  end
end
return { 1 }
