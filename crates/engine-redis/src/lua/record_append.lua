-- Appends to the log, and removes the act that it settles -> { 1, the entry's id }, or { 0 } when that was not there
local log   = KEYS[1] -- STREAM body
local index = KEYS[2] -- as in record_put, of the table of acts
local ends  = KEYS[3]
local stem  = KEYS[4]
local body  = ARGV[1]
local keep  = ARGV[2] -- entries
local act   = ARGV[3] -- or nothing

if act then
  redis.call('ZREM', index, act)
  redis.call('ZREM', ends, act)
  if redis.call('DEL', stem .. act) == 0 then return { 0 } end
end
return { 1, redis.call('XADD', log, 'MAXLEN', '=', keep, '*', 'body', body) }
