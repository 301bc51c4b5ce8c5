-- A portion of the log, newest first -> { n, n * (id, body) }
local log    = KEYS[1] -- as in record_append
local before = ARGV[1] -- '(' and an id, or '+'
local limit  = ARGV[2]

local page = redis.call('XREVRANGE', log, before, '-', 'COUNT', limit)
local reply = { #page }
for _, entry in ipairs(page) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = entry[2][2]
end
return reply
