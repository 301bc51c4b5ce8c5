-- The newest positions of timelines, KEYS being what is known of each -> { 1, seq ... }, 0 for one that is not there
local reply = { 1 }
for _, meta in ipairs(KEYS) do reply[#reply + 1] = tonumber(redis.call('HGET', meta, 'seq') or '0') end
return reply
