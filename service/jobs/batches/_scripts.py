"""What is decided about a batch as a whole, each decision one script: nothing comes between its parts."""

from __future__ import annotations

from typing import Final

from service.jobs._removing import WRITES_WHEN_FULL
from service.jobs.registers.batches import BATCH_WORDS

__all__ = ["CANCEL", "FAIL", "PICK", "REMOVE", "RETRY", "SETTLE", "TALLY"]

# Every decision writes the batch's own hash, which whoever makes a job of an item watches. A batch that is being
# removed has no counts for anybody any more.
_IS_GONE: Final = """
if redis.call('EXISTS', batch) == 0 or redis.call('HEXISTS', batch, 'removed_at') == 1 then
    return 'gone'
end
"""
_DROP: Final = """
local function drop(id, as)
    local left = redis.call('ZCARD', waiting)
    if left > 0 then
        redis.call('HINCRBY', counts, as, left)
        redis.call('RENAME', waiting, dropped)
        redis.call('ZREM', to_feed, id)
        redis.call('HSET', batch, 'dropped_as', as)
    end
end
"""

CANCEL: Final = f"""{BATCH_WORDS}{_DROP}{_IS_GONE}
local id, now = ARGV[1], instant()
if redis.call('HEXISTS', counts, 'completed_at') == 1 then
    return 'final'
end
redis.call('HSETNX', batch, 'cancel_requested_at', now)
redis.call('SADD', canceling, id)
drop(id, 'canceled')
end_if_over(id, now)
return 'done'
"""

FAIL: Final = f"""{BATCH_WORDS}{_DROP}{_IS_GONE}
local id, failure, now = ARGV[1], ARGV[2], instant()
if redis.call('EXISTS', waiting) == 0 then
    return 'final'
end
redis.call('HSET', batch, 'error', failure)
drop(id, 'failed')
end_if_over(id, now)
return 'done'
"""

RETRY: Final = f"""{BATCH_WORDS}{_IS_GONE}
local id = ARGV[1]
if redis.call('HEXISTS', counts, 'completed_at') == 0 then
    return 'open'
end
local failed, left = redis.call('SMEMBERS', failures), redis.call('ZRANGE', dropped, 0, -1)
if #failed + #left == 0 then
    return 'nothing'
end
for _, index in ipairs(failed) do
    redis.call('HINCRBY', retries, index, 1)
    redis.call('ZADD', waiting, index, index)
end
for _, index in ipairs(left) do
    redis.call('ZADD', waiting, index, index)
end
redis.call('DEL', failures, dropped)
redis.call('HSET', counts, 'failed', 0, 'canceled', 0, 'expired', 0)
redis.call('HDEL', counts, 'completed_at')
redis.call('HDEL', batch, 'cancel_requested_at', 'error', 'dropped_as', 'webhook_state', 'webhook_attempts')
local letter = redis.call('HGET', batch, 'letter')
if letter then
    redis.call('ZREM', outbox, letter)  -- it would tell of an end that is none any more
end
redis.call('HINCRBY', batch, 'retries', 1)
redis.call('ZREM', ended, id)
redis.call('ZADD', to_feed, 0, id)
return 'done'
"""

# Further keys: the tenant's list, and the batches that are being removed.
REMOVE: Final = f"""{WRITES_WHEN_FULL}{BATCH_WORDS}{_IS_GONE}
local id, member = unpack(ARGV)
if redis.call('HEXISTS', counts, 'completed_at') == 0 then
    return 'open'
end
redis.call('HSET', batch, 'removed_at', instant())
redis.call('ZREM', ended, id)
redis.call('ZREM', KEYS[13], member)
redis.call('ZADD', KEYS[14], 0, id)
return 'done'
"""

TALLY: Final = f"""{WRITES_WHEN_FULL}redis.call('ZADD', KEYS[1], 'XX', ARGV[1], ARGV[2])"""
"""Note how many items of a batch that is being removed are gone."""

# A message belongs to one end of the batch, and to one try.
SETTLE: Final = """
local function field(name, otherwise)
    return redis.call('HGET', KEYS[1], name) or otherwise
end

local retries, attempts, state, due = unpack(ARGV)
if redis.call('EXISTS', KEYS[1]) == 0 or field('retries', '0') ~= retries
    or field('webhook_attempts', '0') ~= attempts or field('webhook_state', 'pending') ~= 'pending' then
    return 0
end
redis.call('HSET', KEYS[1], 'webhook_attempts', tonumber(attempts) + 1, 'webhook_state', state)
local letter = redis.call('HGET', KEYS[1], 'letter')
if state == 'pending' then
    redis.call('ZADD', KEYS[2], 'XX', due, letter)
else
    redis.call('ZREM', KEYS[2], letter)
end
return 1
"""

# One item of each batch in turn, round after round. A batch whose jobs were put off, for want of their model, has so
# many of them at most; the others go on.
PICK: Final = """
local most, most_delayed, waiting, counts, retries = tonumber(ARGV[1]), tonumber(ARGV[2]), unpack(ARGV, 3, 5)
local batches, picked, round, left_out = {}, {}, 0, {}
for i = 6, #ARGV do
    left_out[ARGV[i]] = true
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if not left_out[id] and tonumber(redis.call('HGET', counts .. id, 'delayed') or 0) < most_delayed then
        batches[#batches + 1] = id
    end
end
while #picked < most do
    local found = #picked
    for _, id in ipairs(batches) do
        local index = redis.call('ZRANGE', waiting .. id, round, round)[1]
        if index and #picked < most then
            picked[#picked + 1] = {id, index, redis.call('HGET', retries .. id, index) or '0'}
            redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), id)
        end
    end
    if #picked == found then
        break
    end
    round = round + 1
end
return picked
"""
