-- Reaps a portion of what is over -> { 1, now, nodes, members, whether there is more, (room, life) to close ... }
local portion = tonumber(ARGV[6])
local outage  = tonumber(ARGV[7])

pulse(outage)
local nodes, members, left = 0, 0, portion

for _, gen in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', int(now), 'LIMIT', 0, portion)) do
  -- The lease's time was its members' grace.
  lose_life(gen, now)
  nodes = nodes + 1
end

for _, gen in ipairs(redis.call('ZRANGEBYSCORE', lost, '-inf', int(now), 'LIMIT', 0, portion)) do
  if left == 0 then break end
  for _, client in ipairs(redis.call('SPOP', held_by .. gen, left)) do
    left = left - 1
    local c = redis.call('HMGET', client_of .. client, 'presence', 'gen')
    if not c[1] then
      redis.call('ZREM', present, client)
    elseif c[1] == 'a' and c[2] == gen and retire(client) then
      members = members + 1
    end
  end
  if redis.call('SCARD', held_by .. gen) == 0 then
    redis.call('ZREM', lost, gen)
    redis.call('DEL', life_of .. gen)
  end
end

local amnesty = tonumber(redis.call('HGET', state, 'amnesty') or '0')
if left > 0 and now >= amnesty then
  for _, client in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', int(now), 'LIMIT', 0, left)) do
    left = left - 1
    if redis.call('HGET', client_of .. client, 'presence') == 'g' then
      if retire(client) then members = members + 1 end
    else
      -- Kept long enough, or a record that is gone already.
      for _, room in ipairs(rooms_of(client)) do exit(room, client) end
      redis.call('DEL', client_of .. client, entered_by .. client)
      redis.call('ZREM', due, client)
      redis.call('ZREM', present, client)
    end
  end
end

-- Timelines that whoever ended their room did not live to remove.
for _, item in ipairs(redis.call('ZRANGEBYSCORE', ended, '-inf', int(now - 2000), 'LIMIT', 0, portion)) do
  local room, life = string.match(item, '^(%d+):(%d+)$')
  append_all(to_close, { tonumber(room), tonumber(life) })
end
return append_all({ 1, now, nodes, members, left == 0 and 1 or 0 }, to_close)
