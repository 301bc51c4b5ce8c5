-- The nodes that hold a lease, at most `limit` -> { n, n * (started, seen, connections), n * name }
local limit = ARGV[6]

local reply, names = { 0 }, {}
for _, gen in ipairs(redis.call('ZRANGEBYSCORE', leases, '(' .. int(now), '+inf', 'LIMIT', 0, limit)) do
  local l = redis.call('HMGET', life_of .. gen, 'started', 'seen', 'connections', 'node')
  if l[4] then
    append_all(reply, { tonumber(l[1]), tonumber(l[2]), tonumber(l[3]) })
    names[#names + 1] = l[4]
  end
end
reply[1] = #names
return append_all(reply, names)
