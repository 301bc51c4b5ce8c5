-- What scripts for operators say of a client.

local alive = {} -- by generation; there are few
local function lives(gen)
  if alive[gen] == nil then alive[gen] = holds(gen) and true or false end
  return alive[gen]
end

-- A client that a connection speaks for or, unless those are not wanted, that is within its grace; or nil, and its
-- presence. Its node is '' within its grace.
local function look_at(client, attached_only)
  local c = redis.call('HMGET', client_of .. client, 'presence', 'gen', 'node', 'name', 'since', 'ip')
  local presence, node = c[1], ''
  if presence ~= 'a' and presence ~= 'g' then return nil, presence end
  if presence == 'a' and lives(c[2]) then
    node = c[3]
  elseif attached_only then
    return nil, presence
  end
  local entered = rooms_of(client)
  -- When its node is gone, whoever is in no room has nothing to come back to; the sweep has not got to it yet.
  if presence == 'a' and node == '' and #entered == 0 then return nil, presence end
  local found = { node = node, gen = c[2], presence = presence, rooms = entered, name = c[4], since = c[5], ip = c[6] }
  return found, presence
end

-- Adds one to what is said: `numbers` id, since, n, n * room; `texts` name, node, ip.
local function say(client, c, numbers, texts)
  append_all(numbers, { tonumber(client), tonumber(c.since or '0'), #c.rooms })
  for _, room in ipairs(c.rooms) do numbers[#numbers + 1] = tonumber(room) end
  append_all(texts, { c.name or '', c.node, c.ip or '' })
end
