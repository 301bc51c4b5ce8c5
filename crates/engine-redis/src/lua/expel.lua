-- Makes a client leave all its rooms at once, has no connection speak for it, and hands its node an order
-- -> { 1, n, n * room, node, (room, life) to close ... } or { 0 } if it is not there
local client       = ARGV[6]
local order        = ARGV[7]
local control_head = ARGV[8] -- as in attach

local c = look_at(client)
if not c then return { 0 } end
if c.presence == 'a' then redis.call('SREM', held_by .. c.gen, client) end
retire(client)
-- Now, and not by whoever reads the reply: it may be lost.
if c.node ~= '' then redis.call('PUBLISH', control_head .. c.node, '1 o\n' .. order) end
local reply = { 1, #c.rooms }
for _, room in ipairs(c.rooms) do reply[#reply + 1] = tonumber(room) end
reply[#reply + 1] = c.node
return append_all(reply, to_close)
