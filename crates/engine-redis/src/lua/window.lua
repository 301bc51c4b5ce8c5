-- A sliding window from two buckets: this window's count, and the part of the last one's that still overlaps.
-- `counts` is a HASH i (which window `c` counts), c(urrent), p(revious); `length` and `now` are ms.

-- Which window it is, how far into it, its count, and the last one's.
local function look(counts, length, now)
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
  return index, into, current, previous
end

-- How many more may be counted, and the ms until it is one more than that; 0 when nothing is counted.
local function left(limit, length, into, current, previous)
  local share = math.floor(previous * (length - into) / length)
  local more = 0
  if share > 0 then
    -- When that much of the last window has slid out; at its very end it has none any more.
    more = length - math.ceil(share * length / previous) + 1 - into
  elseif current > 0 then
    -- As soon as this one is the last one, and begins to slide out.
    more = length - into + 1
  end
  return math.max(limit - share - current, 0), math.max(more, 0)
end

-- Counts one if there is room for it: the ms to wait, 0 if there was; then also what is left, see left().
local function take(counts, limit, length, now)
  local index, into, current, previous = look(counts, length, now)
  if math.floor(previous * (length - into) / length) + current < limit then
    redis.call('HSET', counts, 'i', string.format('%.0f', index), 'c', current + 1, 'p', previous)
    -- What is counted now is the last window's until the end of the next.
    redis.call('PEXPIRE', counts, string.format('%.0f', 2 * length - into))
    return 0, left(limit, length, into, current + 1, previous)
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
