-- A client that a connection speaks for or that is within its grace -> { 1, numbers, texts }, see say(), or { 0 }
local client = ARGV[6]

local c = look_at(client)
if not c then return { 0 } end
local reply, texts = { 1 }, {}
say(client, c, reply, texts)
return append_all(reply, texts)
