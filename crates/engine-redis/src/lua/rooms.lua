-- A page of the room list, newest first -> { 1, whether there is more, n, n * (room, created, members), n * name }
local below = ARGV[5] -- the index of the last room of the page before, or ''
local limit = tonumber(ARGV[6])

local from = below == '' and '+' or '(' .. below
local page = redis.call('ZREVRANGEBYLEX', rooms, from, '-', 'LIMIT', 0, limit + 1)
local reply, names = { 1, #page > limit and 1 or 0, 0 }, {}
for i = 1, math.min(#page, limit) do
  local room = int(tonumber(string.sub(page[i], -9)))
  append_all(reply, { tonumber(room), tonumber(string.sub(page[i], 1, 16)), count(room) })
  names[#names + 1] = redis.call('HGET', room_of .. room, 'name') or ''
end
reply[3] = #names
return append_all(reply, names)
