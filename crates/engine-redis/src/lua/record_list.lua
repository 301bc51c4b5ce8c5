-- A portion of a table, by id -> { n, whether there is more, the last id looked at, n * (id, body) }
local index = KEYS[1] -- as in record_put
local ends  = KEYS[2]
local stem  = KEYS[3]
local above = ARGV[1] -- '(' and an id, or '-'
local limit = tonumber(ARGV[2]) -- ids that are looked at
local bytes = tonumber(ARGV[3]) -- of documents, about

local page = redis.call('ZRANGEBYLEX', index, above, '+', 'LIMIT', 0, limit)
local reply, n, at = { 0, 0, '' }, 0, 0
while at < #page and bytes > 0 do
  at = at + 1
  local id = page[at]
  local body = redis.call('GET', stem .. id)
  if body then
    reply[#reply + 1] = id
    reply[#reply + 1] = body
    n = n + 1
    bytes = bytes - #body
  else
    redis.call('ZREM', index, id)
    redis.call('ZREM', ends, id)
  end
end
reply[1] = n
reply[2] = (at < #page or #page == limit) and 1 or 0
reply[3] = page[at] or ''
return reply
