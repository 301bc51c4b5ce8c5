-- Reads a part of a log -> { 1, oldest, newest, whether there is more, n, n * (seq, at), epoch, n * payload } or { -1 }
-- Payloads are those that are in force. Of originals each is (payload, key, the replacement as in the overlay, or '').
local meta     = KEYS[1]
local log      = KEYS[2]
local overlay  = KEYS[3] -- see append.lua
local low      = tonumber(ARGV[1]) -- the first position wanted
local high     = tonumber(ARGV[2]) -- the last one
local forward  = ARGV[3] == '1'    -- from the low end, or from the high one
local limit    = tonumber(ARGV[4])
local reach    = tonumber(ARGV[5]) -- ms that a message is kept
local ttl      = ARGV[6]
local as_posted = ARGV[7] == '1'   -- the originals

local epoch, newest, amended = unpack(redis.call('HMGET', meta, 'epoch', 'seq', 'amended'))
if not epoch then return { -1 } end
newest = tonumber(newest)
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', log, ttl)
if amended then redis.call('PEXPIRE', overlay, ttl) end

local function int(n) return string.format('%.0f', n) end
local function seq_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
-- What is too old goes now. The log is bounded, so this ends; times ascend, so it may stop at the first young one. That
-- is nearly always the first of all, so only one is looked at until one was too old: entries are whole messages.
local oldest
local some = 1
repeat
  local old = redis.call('XRANGE', log, '-', '+', 'COUNT', some)
  some = 50
  local gone
  oldest = newest + 1
  for _, entry in ipairs(old) do
    if tonumber(entry[2][2]) + reach > now then
      oldest = seq_of(entry)
      break
    end
    gone = seq_of(entry)
  end
  if gone then redis.call('XTRIM', log, 'MINID', '=', int(gone + 1) .. '-0') end
until #old == 0 or oldest <= newest

low, high = math.max(low, oldest), math.min(high, newest)
local wanted = math.max(high - low + 1, 0)
local n = math.min(wanted, limit)
local reply, payloads = { 1, oldest, newest, wanted > n and 1 or 0, 0 }, {}
if n > 0 then
  -- Positions have no holes, so a position is an index.
  if forward then high = low + n - 1 else low = high - n + 1 end
  local replaced = {}
  if amended then
    local wanted_of_it = {}
    for seq = low, high do wanted_of_it[#wanted_of_it + 1] = int(seq) end
    replaced = redis.call('HMGET', overlay, unpack(wanted_of_it))
  end
  for _, entry in ipairs(redis.call('XRANGE', log, int(low) .. '-0', int(high) .. '-0')) do
    local seq = seq_of(entry)
    reply[5] = reply[5] + 1
    reply[#reply + 1] = seq
    reply[#reply + 1] = tonumber(entry[2][2])
    local instead = replaced[seq - low + 1]
    if as_posted then
      payloads[#payloads + 1] = entry[2][4]
      payloads[#payloads + 1] = entry[2][6] or ''
      payloads[#payloads + 1] = instead or ''
    else
      payloads[#payloads + 1] = instead and string.match(instead, '^%d+ (.*)$') or entry[2][4]
    end
  end
end
reply[#reply + 1] = epoch
for _, payload in ipairs(payloads) do reply[#reply + 1] = payload end
return reply
