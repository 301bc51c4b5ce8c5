-- A page of the room list, newest first -> { 1, whether there is more, n, n * (room, created, members), n * name }
local below = ARGV[6] -- the index of the last room of the page before, or ''
local limit = tonumber(ARGV[7])

local from = below == '' and '+' or '(' .. below
local page = redis.call('ZREVRANGEBYLEX', rooms, from, '-', 'LIMIT', 0, limit + 1)
local reply, names = { 1, #page > limit and 1 or 0, 0 }, {}
for i = 1, math.min(#page, limit) do
  local room = int(tonumber(string.sub(page[i], -9)))
  local name = redis.call('HGET', room_of .. room, 'name')
  if not name then
    -- Nobody was there to end it before it was forgotten.
    redis.call('ZREM', rooms, page[i])
  else
    append_all(reply, { tonumber(room), tonumber(string.sub(page[i], 1, 16)), count(room) })
    names[#names + 1] = name
  end
end
reply[3] = #names
return append_all(reply, names)
