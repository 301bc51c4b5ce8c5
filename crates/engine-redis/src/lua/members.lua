-- A portion of a room's members, by id
-- -> { 1, members, whether there is more, the last one looked at, (as list() has it) ... }
local room  = ARGV[6]
local above = ARGV[7] -- a score
local limit = tonumber(ARGV[8])

if redis.call('EXISTS', room_of .. room) == 0 then return { ROOM_NOT_FOUND } end
local page = redis.call('ZRANGEBYSCORE', ids_of .. room, above, '+inf', 'LIMIT', 0, limit + 1)
local more = #page > limit
if more then page[#page] = nil end
local members = {}
for _, client in ipairs(page) do
  if is_in(room, client) then
    members[#members + 1] = client
  else
    -- A node of a version without this list made it leave.
    redis.call('ZREM', ids_of .. room, client)
  end
end
return list(members, { 1, count(room), more and 1 or 0, tonumber(page[#page] or '0') })
