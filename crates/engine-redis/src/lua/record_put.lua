-- Writes a document -> { 1 }
local index = KEYS[1] -- ZSET of ids, all of score 0: the list's order
local ends  = KEYS[2] -- ZSET id -> when it ends, of those that do
local stem  = KEYS[3] -- of STRING body; the id follows
local id    = ARGV[1]
local body  = ARGV[2]
local ttl   = ARGV[3] -- ms, or ''

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local function int(n) return string.format('%.0f', n) end

-- Nobody may ever list this table: so what has expired goes when something comes.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', int(now), 'LIMIT', 0, 20)) do
  if redis.call('EXISTS', stem .. gone) == 0 then
    redis.call('ZREM', ends, gone)
    redis.call('ZREM', index, gone)
  end
end

redis.call('SET', stem .. id, body)
redis.call('ZADD', index, 0, id)
if ttl == '' then
  redis.call('ZREM', ends, id)
else
  local at = int(now + tonumber(ttl))
  redis.call('ZADD', ends, at, id)
  redis.call('PEXPIREAT', stem .. id, at)
end
return { 1 }
