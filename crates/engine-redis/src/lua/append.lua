
-- Gives a payload the next position, stores it and publishes it
-- -> { 1, seq, sent at, duplicate }, { -1 } without a timeline, or { -2, ms to wait } when the client may post no more
local meta    = KEYS[1] -- HASH epoch, life, seq, at
local log     = KEYS[2] -- STREAM <seq>-0 -> at, p
local seen    = KEYS[3] -- stem of STRING '<seq> <at>'; <life>:<client>:<message> follows
local counts  = KEYS[4] -- the client's window, see take()
local channel = ARGV[1]
local message = ARGV[2] -- '<client>:<message>'
local payload = ARGV[3]
local kept    = ARGV[4] -- messages
local remembered = ARGV[5] -- ms that a message's id is remembered
local ttl     = ARGV[6]
local limit   = tonumber(ARGV[7]) -- of the window; 0: there is none
local length  = tonumber(ARGV[8])
local trace   = ARGV[9] -- of a message that is followed; it goes with what is published, and is not stored

local life, last = unpack(redis.call('HMGET', meta, 'life', 'at'))
if not life then return { -1 } end
seen = seen .. life .. ':' .. message
local first = redis.call('GET', seen)
if first then
  local seq, at = string.match(first, '^(%d+) (%d+)$')
  return { 1, tonumber(seq), tonumber(at), 1 }
end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if limit > 0 then
  local wait = take(counts, limit, length, now)
  if wait > 0 then return { -2, wait } end
end
-- Never before the one before it, whatever becomes of the clock.
local at = math.max(now, tonumber(last))
local at_text = string.format('%.0f', at)
local seq = redis.call('HINCRBY', meta, 'seq', 1)
local seq_text = string.format('%.0f', seq)
redis.call('HSET', meta, 'at', at_text)
redis.call('XADD', log, 'MAXLEN', '=', kept, seq_text .. '-0', 'at', at_text, 'p', payload)
redis.call('SET', seen, seq_text .. ' ' .. at_text, 'PX', remembered)
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', log, ttl)
-- And how many microseconds later, for whoever measures how long it takes from here; '-' when the clock was put back.
local micros = at == now and string.format('%d', tonumber(clock[2]) % 1000) or '-'
local head = '1 e ' .. seq_text .. ' ' .. at_text .. ' ' .. micros
if trace then head = head .. ' ' .. trace end
redis.call('PUBLISH', channel, head .. '\n' .. payload)
return { 1, seq, at, 0 }
