-- What every membership script begins with: its keys, what all are told, and the steps they are made of.
-- All keys have the tag {m}, so that a script touches one slot. A key that ends with ':' is a stem; an id follows it.
local leases     = KEYS[1]  -- ZSET generation -> when the lease ends
local lost       = KEYS[2]  -- ZSET generation whose node is gone -> when its members' grace ends
local due        = KEYS[3]  -- ZSET client -> when its grace or record ends; +inf while it is attached
local rooms      = KEYS[4]  -- ZSET '<created>-<room>', zero-padded, all of score 0: the list's order
local ended      = KEYS[5]  -- ZSET '<room>:<life>' of rooms whose timeline is still to be removed -> since when
local state      = KEYS[6]  -- HASH last (the newest unique number), pulse, amnesty
local life_of    = KEYS[7]  -- HASH node, started, seen, connections, cursor, done; by generation
local held_by    = KEYS[8]  -- SET of the clients attached to a generation
local node_of    = KEYS[9]  -- STRING the generation of a node's present life; by name
local client_of  = KEYS[10] -- HASH key, name, presence (a, g, k), gen, node, conn, since, ip; request and made (a room)
local entered_by = KEYS[11] -- ZSET room -> when it was entered; by client. Some may have ended, see rooms_of()
local room_of    = KEYS[12] -- HASH name, owner, created, life, index
local members_of = KEYS[13] -- ZSET client -> when it came; by room
local present    = KEYS[14] -- ZSET client -> its id, of those of presence a
local came_to    = KEYS[15] -- ZSET client -> when it came for the first time; by room
local ids_of     = KEYS[16] -- ZSET client -> its id, of a room's members; by room

local channel_head = ARGV[1] -- a room's channel is channel_head .. room .. channel_tail
local channel_tail = ARGV[2]
local ttl          = tonumber(ARGV[3]) -- ms after which what nobody uses is an orphan
local keep         = tonumber(ARGV[4]) -- ms for which a client's record outlives its last connection

local deadline     = tonumber(ARGV[5]) -- when nobody waits for the answer any more; 0: never

local PARTICIPANTS_KEPT = 10000 -- of a room

local ROOM_NOT_FOUND, ROOM_FULL, NOT_IN_ROOM, TOO_MANY_ROOMS, SUPERSEDED, TOO_LATE = -1, -2, -3, -4, -5, -6

-- Lua writes numbers above 14 digits in exponents unless told otherwise.
local function int(n) return string.format('%.0f', n) end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- The caller has given up, and told its client so; who may be elsewhere by now, and not want this any more.
if deadline > 0 and now > deadline then return { TOO_LATE } end

-- A number that was never given before: microseconds, so that it goes on ascending even if the record of it is lost.
local function unique()
  local n = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
  local last = tonumber(redis.call('HGET', state, 'last') or '0')
  if n <= last then n = last + 1 end
  redis.call('HSET', state, 'last', int(n))
  return int(n)
end

local function holds(gen) return redis.call('ZSCORE', leases, gen) end

-- Whether this connection speaks for this client.
local function speaks(client, gen, conn)
  local c = redis.call('HMGET', client_of .. client, 'presence', 'gen', 'conn')
  return c[1] == 'a' and c[2] == gen and c[3] == conn and holds(gen)
end

local function count(room) return redis.call('ZCARD', members_of .. room) end

local function publish(room, message) redis.call('PUBLISH', channel_head .. room .. channel_tail, message) end

-- Tells a room of a change: j(oined), l(eft), r(enamed), a(way: the connection is lost), b(ack).
local function tell(room, kind, client, name)
  publish(room, '1 ' .. kind .. ' ' .. count(room) .. ' ' .. client .. '\n' .. name)
end

-- Rooms whose timelines the caller must remove: room, life, room, life ...
local to_close = {}

local function forget_room(room)
  local r = redis.call('HMGET', room_of .. room, 'life', 'index')
  if r[1] then
    redis.call('ZREM', rooms, r[2])
    redis.call('ZADD', ended, int(now), room .. ':' .. r[1])
    to_close[#to_close + 1] = tonumber(room)
    to_close[#to_close + 1] = tonumber(r[1])
  end
  -- What takes long with many members is done beside all else.
  redis.call('UNLINK', room_of .. room, members_of .. room, ids_of .. room, came_to .. room)
end

local function touch_room(room)
  redis.call('PEXPIRE', room_of .. room, ttl)
  redis.call('PEXPIRE', members_of .. room, ttl)
  redis.call('PEXPIRE', ids_of .. room, ttl)
  redis.call('PEXPIRE', came_to .. room, ttl)
end

local function touch_client(client, time)
  redis.call('PEXPIRE', client_of .. client, int(time))
  redis.call('PEXPIRE', entered_by .. client, int(time))
end

local function is_in(room, client) return redis.call('ZSCORE', members_of .. room, client) end

-- The rooms that a client is in. What its own list says is not enough: a room that is ended has no time to tell each of
-- its members (end_room), and its id may be another room's by now.
local function rooms_of(client)
  local current = {}
  for _, room in ipairs(redis.call('ZRANGE', entered_by .. client, 0, -1)) do
    if is_in(room, client) then
      current[#current + 1] = room
    else
      redis.call('ZREM', entered_by .. client, room)
    end
  end
  return current
end

-- Adds a member, which is none yet, and tells the room.
local function enter(room, client)
  local at = unique()
  redis.call('ZADD', members_of .. room, at, client)
  redis.call('ZADD', ids_of .. room, client, client)
  redis.call('ZADD', entered_by .. client, at, room)
  if redis.call('ZADD', came_to .. room, 'NX', at, client) == 1 then
    redis.call('ZREMRANGEBYRANK', came_to .. room, 0, -PARTICIPANTS_KEPT - 1)
  end
  touch_room(room)
  touch_client(client, ttl)
  tell(room, 'j', client, redis.call('HGET', client_of .. client, 'name') or '')
end

-- Removes a member, tells the room, and ends it after the last one.
local function exit(room, client)
  redis.call('ZREM', entered_by .. client, room)
  local was = redis.call('ZREM', members_of .. room, client)
  redis.call('ZREM', ids_of .. room, client)
  if count(room) == 0 then
    forget_room(room)
  elseif was == 1 then
    tell(room, 'l', client, '')
  end
end

local function rename(client, name)
  if redis.call('HGET', client_of .. client, 'name') == name then return end
  redis.call('HSET', client_of .. client, 'name', name)
  for _, room in ipairs(rooms_of(client)) do tell(room, 'r', client, name) end
end

-- Makes room for one more room of a client: the rooms that it left for it, or nil and why not.
local function make_way(client, rooms_per_client)
  local former = rooms_of(client)
  if #former < rooms_per_client then return {} end
  if rooms_per_client > 1 then return nil, TOO_MANY_ROOMS end
  for _, room in ipairs(former) do exit(room, client) end
  return former
end

-- The client's id stays its own for a while, but it is in no room any more. Says whether it was in one.
local function retire(client)
  local former = rooms_of(client)
  redis.call('HSET', client_of .. client, 'presence', 'k')
  redis.call('ZADD', due, int(now + keep), client)
  for _, room in ipairs(former) do exit(room, client) end
  redis.call('ZREM', present, client)
  touch_client(client, keep + ttl)
  return #former > 0
end

-- A random id that is not taken: of five digits while at most half of those are, then of six, and so on. So a few of
-- the random numbers (ARGV[first] and on) are enough; should they not be, the next free one above is found soon.
local function free_id(first, taken, stem)
  local low = 10000
  while taken > low * 9 / 2 and low < 100000000 do low = low * 10 end
  local id
  for i = first, #ARGV do
    id = low + tonumber(ARGV[i]) % (low * 9)
    if redis.call('EXISTS', stem .. int(id)) == 0 then return int(id) end
  end
  repeat
    id = id + 1
    if id >= low * 10 then id = low end
  until redis.call('EXISTS', stem .. int(id)) == 0
  return int(id)
end

-- When nobody at all has been heard of for a while, it was Redis that was away and not the nodes: leases and graces go
-- on by as much, so that sockets that outlived it stay members. (One node alone that is silent is reaped by the rest.)
local function pulse(outage)
  local last = tonumber(redis.call('HGET', state, 'pulse') or int(now))
  redis.call('HSET', state, 'pulse', int(now))
  local gap = now - last
  -- The same when the clock was set back, so that nobody is dead for hours before it shows.
  if gap < outage and gap > -outage then return end
  redis.call('HSET', state, 'amnesty', int(now + outage))
  for _, set in ipairs({ leases, lost }) do
    for _, gen in ipairs(redis.call('ZRANGE', set, 0, -1)) do redis.call('ZINCRBY', set, gap, gen) end
  end
end

-- The node of this life is gone; its clients stay members until the grace ends. They are looked at only then.
local function lose_life(gen, until_when)
  redis.call('ZREM', leases, gen)
  redis.call('ZADD', lost, int(until_when), gen)
  local node = redis.call('HGET', life_of .. gen, 'node')
  if node and redis.call('GET', node_of .. node) == gen then redis.call('DEL', node_of .. node) end
  redis.call('PEXPIRE', life_of .. gen, int(until_when - now + ttl))
  redis.call('PEXPIRE', held_by .. gen, int(until_when - now + ttl))
end

local function append_all(reply, list)
  for _, item in ipairs(list) do reply[#reply + 1] = item end
  return reply
end

-- Members as they are listed: the number of them and of those whose connection is lost, as the room was told, then the
-- ids of both, then the names of all.
local function list(members, reply)
  local away, names = {}, {}
  for _, client in ipairs(members) do
    local c = redis.call('HMGET', client_of .. client, 'name', 'presence')
    names[#names + 1] = c[1] or ''
    if c[2] == 'g' then away[#away + 1] = tonumber(client) end
  end
  append_all(reply, { #members, #away })
  for _, client in ipairs(members) do reply[#reply + 1] = tonumber(client) end
  return append_all(append_all(reply, away), names)
end

-- A room as its members see it, and what else joining says: integers first, then the
-- name, then the rooms to close.
local function joined(room, already, moved_from)
  local r = redis.call('HMGET', room_of .. room, 'created', 'owner', 'life', 'name')
  local reply = { 1, already, tonumber(room), tonumber(r[1]), tonumber(r[2]), count(room), tonumber(r[3]), #moved_from }
  for _, former in ipairs(moved_from) do reply[#reply + 1] = tonumber(former) end
  reply[#reply + 1] = r[4]
  return append_all(reply, to_close)
end
