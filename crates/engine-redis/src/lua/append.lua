
-- Gives a payload the next position, stores it and publishes it
-- -> { 1, seq, sent at, duplicate, left of the window or -1 without one, ms until it is one more }, { -1 } without a timeline, { -2, ms to wait } when the client may post no more, or
--    { -3 } when what is to be amended is gone or was amended by somebody else
local meta    = KEYS[1] -- HASH epoch, life, seq, at, amended ('1' once there has been an amendment)
local log     = KEYS[2] -- STREAM <seq>-0 -> at, p(ayload), k(ey of the client)
local overlay = KEYS[3] -- HASH <seq> -> '<seq of the amendment> <payload in place of the log's>'
local seen    = KEYS[4] -- stem of STRING '<seq> <at>'; <life>:<client>:<message> follows
local counts  = KEYS[5] -- the client's window, see take()
local channel = ARGV[1]
local message = ARGV[2] -- '<client>:<message>'
local payload = ARGV[3]
local kept    = ARGV[4] -- messages
local remembered = ARGV[5] -- ms that a message's id is remembered
local ttl     = ARGV[6]
local limit   = tonumber(ARGV[7]) -- of the window; 0: there is none
local length  = tonumber(ARGV[8])
local key     = ARGV[9]  -- of the client, or ''
local trace   = ARGV[10] -- of a message that is followed, or ''; it goes with what is published, and is not stored
-- If it amends an earlier one:
local target  = ARGV[11] -- its position
local expected = ARGV[12] -- the position of its last amendment, 0 if there is none
local reach   = tonumber(ARGV[13] or '0') -- ms that a message is kept
local replacement = ARGV[14] -- a JSON object
local noted_as = ARGV[15] -- the name of its last field, which is the amendment's position
local superseded = ARGV[16] -- another position that is replaced, if there is one
local superseded_by = ARGV[17]

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local life, last, amended = unpack(redis.call('HMGET', meta, 'life', 'at', 'amended'))
if not life then return { -1 } end
seen = seen .. life .. ':' .. message
local first = redis.call('GET', seen)
if first then
  local seq, at = string.match(first, '^(%d+) (%d+)$')
  if limit == 0 then return { 1, tonumber(seq), tonumber(at), 1, -1, 0 } end
  local _, into, current, previous = look(counts, length, now)
  return { 1, tonumber(seq), tonumber(at), 1, left(limit, length, into, current, previous) }
end
if target then
  -- Of a room that was here before, should one who knew nothing of it have removed the rest.
  if not amended then redis.call('DEL', overlay) end
  local there = redis.call('XRANGE', log, target .. '-0', target .. '-0')[1]
  if not there or tonumber(there[2][2]) + reach <= now then return { -3 } end
  local former = redis.call('HGET', overlay, target)
  if (former and string.match(former, '^%d+') or '0') ~= expected then return { -3 } end
end
local remaining, one_more = -1, 0
if limit > 0 then
  local wait
  wait, remaining, one_more = take(counts, limit, length, now)
  if wait > 0 then return { -2, wait } end
end
-- Never before the one before it, whatever becomes of the clock.
local at = math.max(now, tonumber(last))
local at_text = string.format('%.0f', at)
local seq = redis.call('HINCRBY', meta, 'seq', 1)
local seq_text = string.format('%.0f', seq)
redis.call('HSET', meta, 'at', at_text)
redis.call('XADD', log, 'MAXLEN', '=', kept, seq_text .. '-0', 'at', at_text, 'p', payload, 'k', key)
if target then
  redis.call('HSET', meta, 'amended', 1)
  local noted = string.sub(replacement, 1, -2) .. ',"' .. noted_as .. '":' .. seq_text .. '}'
  redis.call('HSET', overlay, target, seq_text .. ' ' .. noted)
  if superseded then redis.call('HSET', overlay, superseded, seq_text .. ' ' .. superseded_by) end
  -- What the log has lost needs no replacement. A few at a time: each amendment makes at most two.
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  local first = tonumber(string.match(oldest[1], '^%d+'))
  for _, field in ipairs(redis.call('HRANDFIELD', overlay, 20)) do
    if tonumber(field) < first then redis.call('HDEL', overlay, field) end
  end
  amended = '1'
end
redis.call('SET', seen, seq_text .. ' ' .. at_text, 'PX', remembered)
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', log, ttl)
-- Not a moment less than the log: what was taken away must not come back.
if amended then redis.call('PEXPIRE', overlay, ttl) end
-- And how many microseconds later, for whoever measures how long it takes from here; '-' when the clock was put back.
local micros = at == now and string.format('%d', tonumber(clock[2]) % 1000) or '-'
local head = '1 e ' .. seq_text .. ' ' .. at_text .. ' ' .. micros
if trace ~= '' then head = head .. ' ' .. trace end
redis.call('PUBLISH', channel, head .. '\n' .. payload)
return { 1, seq, at, 0, remaining, one_more }
