"""Idempotency-Keys: each stands for one job, whose id is chosen before there is the job."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic_core import to_json
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs._rows import ReservedKey
from service.jobs.records import new_job_id
from service.jobs.registers.reserved_keys import RESERVED_FOR_S

__all__ = ["HELD_FOR_S", "Reservation", "ReservationState", "Reservations"]

HELD_FOR_S: Final = 30.0
"""How long a submission has its key to itself: longer than one takes. Whoever comes later may finish it."""

# Who finds the key of a submission that nobody finishes any more goes on with its job's id: should the first come to
# life again, both write the same job.
_RESERVE: Final = """
local known = redis.call('HMGET', KEYS[1], 'fingerprint', 'job_id', 'held_until')
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local is_settled = known[1] and not known[3]
local is_held = known[3] and tonumber(known[3]) > now
local is_same = known[1] == ARGV[1]
if (is_settled or is_held) and not is_same then
    return {'mismatched', known[2]}
elseif is_settled then
    return {'settled', known[2]}
elseif is_held then
    return {'in_flight', known[2]}
end
local job_id = is_same and known[2] or ARGV[2]
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'job_id', job_id, 'holder', ARGV[3],
    'is_inherited', is_same and 1 or 0, 'held_until', string.format('%.6f', now + ARGV[4]))
redis.call('EXPIRE', KEYS[1], ARGV[5])
return {'held', job_id}
"""
_LET_GO: Final = """
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then
    return
elseif ARGV[2] == 'forget' and redis.call('HGET', KEYS[1], 'is_inherited') == '0' then
    redis.call('DEL', KEYS[1])
else
    redis.call('HSET', KEYS[1], 'held_until', 0)
end
"""


class ReservationState(StrEnum):
    """What a key stands for."""

    HELD = "held"  # for the job that its caller is about to write
    IN_FLIGHT = "in_flight"  # for one that another is about to write
    SETTLED = "settled"  # for a job that was written
    MISMATCHED = "mismatched"  # for another request


@dataclass(frozen=True, slots=True)
class Reservation:
    """An answer of :meth:`Reservations.reserve`.

    Attributes:
        state: what the key stands for.
        job_id: the job that is, or will be, of this key.
        key: what the job's row is to say of it.
        holder: who was answered.
    """

    state: ReservationState
    job_id: str
    key: ReservedKey
    holder: str


class Reservations:
    """The keys of all tenants, each of them kept for a day. Every method may raise ``redis.RedisError``."""

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._keys = Keys(key_prefix)
        self._reserve = redis.register_script(_RESERVE)
        self._let_go = redis.register_script(_LET_GO)

    def reserve(self, word: str, *, tenant: str, fingerprint: str) -> Reservation:
        """Have a key to oneself for :data:`HELD_FOR_S`, unless it is taken.

        Args:
            word: the key.
            tenant: whose it is.
            fingerprint: digest of what is submitted under it.
        """
        key = ReservedKey(digest=hashlib.sha256(to_json([tenant, word])).hexdigest(), fingerprint=fingerprint)
        holder = uuid.uuid4().hex
        arguments: list[str | float] = [fingerprint, new_job_id(), holder, HELD_FOR_S, RESERVED_FOR_S]
        state, job_id = map(text, self._reserve(keys=[self._keys.reservation(key.digest)], args=arguments))
        return Reservation(ReservationState(state), job_id, key, holder)

    def forget(self, reservation: Reservation) -> None:
        """Nothing was written: the key is as good as new; unless an earlier holder may still write the job."""
        self._end(reservation, "forget")

    def yield_(self, reservation: Reservation) -> None:
        """Nobody knows whether the job was written: whoever has the key next goes on with its id, at once."""
        self._end(reservation, "yield")

    def _end(self, reservation: Reservation, way: str) -> None:
        self._let_go(keys=[self._keys.reservation(reservation.key.digest)], args=[reservation.holder, way])
