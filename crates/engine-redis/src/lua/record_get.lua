-- Reads a document -> { 1, body } or { 0 }
local body = redis.call('GET', KEYS[1])
if not body then return { 0 } end
return { 1, body }
