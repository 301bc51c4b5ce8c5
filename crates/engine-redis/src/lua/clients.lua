-- A portion of the clients that a connection speaks for, by id
-- -> { n, the last one looked at, whether there is more, n * numbers, n * texts }, see say()
local above  = ARGV[6] -- a score
local limit  = tonumber(ARGV[7])
local effort = tonumber(ARGV[8]) -- clients and rooms that are looked at, about

local page = redis.call('ZRANGEBYSCORE', present, above, '+inf', 'LIMIT', 0, limit)
local reply, texts, n, at = { 0, 0, 0 }, {}, 0, 0
while at < #page and effort > 0 do
  at = at + 1
  local client = page[at]
  local c, presence = look_at(client, true)
  effort = effort - 1 - (c and #c.rooms or 0)
  if c then
    say(client, c, reply, texts)
    n = n + 1
  elseif presence ~= 'a' then
    -- Its record was forgotten before anybody could sweep it.
    redis.call('ZREM', present, client)
  end
end
reply[1] = n
reply[2] = tonumber(page[at] or '0')
reply[3] = (at < #page or #page == limit) and 1 or 0
return append_all(reply, texts)
