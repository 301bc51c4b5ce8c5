-- A sliding window from two buckets: this window's count, and the part of the last one's that still overlaps.
-- `counts` is a HASH i (which window `c` counts), c(urrent), p(revious); `length` and `now` are ms.

-- Counts one if there is room for it: the ms to wait, 0 if there was.
local function take(counts, limit, length, now)
  local index, into = math.floor(now / length), now % length
  local h = redis.call('HMGET', counts, 'i', 'c', 'p')
  local at, current, previous = tonumber(h[1] or '0'), tonumber(h[2] or '0'), tonumber(h[3] or '0')
  if index == at + 1 then
    previous, current = current, 0
  elseif index > at or at > index + 1 then
    previous, current = 0, 0
  else
    -- The same window; or the clock went back a little, and then time stands still until it has caught up.
    index, into = at, index == at and into or 0
  end

  if math.floor(previous * (length - into) / length) + current < limit then
    redis.call('HSET', counts, 'i', string.format('%.0f', index), 'c', current + 1, 'p', previous)
    -- What is counted now is the last window's until the end of the next.
    redis.call('PEXPIRE', counts, string.format('%.0f', 2 * length - into))
    return 0
  end
  -- When enough has slid out for one more: within this window if the last one's share is the cause ...
  local wait
  if current < limit then
    local overlap = math.floor(((limit - current) * length - 1) / math.max(previous, 1))
    wait = math.max(length - into - overlap, 0)
  else
    -- ... else in the next, where this one's count is the last one's.
    local overlap = math.floor((limit * length - 1) / math.max(current, 1))
    wait = (length - into) + (length - math.min(overlap, length))
  end
  return math.max(wait, 1)
end
