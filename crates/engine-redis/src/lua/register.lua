-- Begins a life of a node, unless it was to follow one that is not the latest of its name -> { 1, now, generation }
local node   = ARGV[6]
local lease  = tonumber(ARGV[7])
local outage = tonumber(ARGV[8])
local follows = ARGV[9] -- the generation that this process had, or '' if it begins

pulse(outage)
local former = redis.call('GET', node_of .. node)
local former_end = former and holds(former)
if follows ~= '' and former_end and former ~= follows and tonumber(former_end) > now then return { SUPERSEDED } end
-- Of a former life that died just now and is not reaped yet, the rest of the lease is the members' grace.
if former_end then lose_life(former, math.max(tonumber(former_end), now)) end

local gen = unique()
redis.call('ZADD', leases, int(now + lease), gen)
redis.call('HSET', life_of .. gen, 'node', node, 'started', int(now), 'seen', int(now), 'connections', 0, 'cursor', '0')
redis.call('SET', node_of .. node, gen)
redis.call('PEXPIRE', life_of .. gen, int(lease + ttl))
redis.call('PEXPIRE', node_of .. node, int(lease + ttl))
return { 1, now, tonumber(gen) }
