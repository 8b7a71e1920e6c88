"""How workers say that their jobs still run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from pydantic_core import to_json
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs.leases import Lease, LeaseState
from service.jobs.records import JobProgress

__all__ = ["Renewal"]

# One script for all jobs of a process, so that heartbeats cost one round trip and cannot come between two changes.
_RENEW: Final = """
local time = redis.call('TIME')
local lapses_at = time[1] + time[2] / 1e6 + ARGV[1]
local states = {}
for i = 2, #KEYS do
    local job_id, attempt, worker, progress = unpack(ARGV, 4 * i - 6, 4 * i - 3)
    local now = redis.call('HMGET', KEYS[i], 'status', 'attempt', 'worker', 'cancel_requested_at')
    if now[1] ~= '"running"' or now[2] ~= attempt or now[3] ~= worker then
        states[i - 1] = 'lost'
    else
        redis.call('ZADD', KEYS[1], string.format('%.6f', lapses_at), job_id)
        if progress ~= '' then
            redis.call('HSET', KEYS[i], 'progress', progress)
        end
        states[i - 1] = now[4] and now[4] ~= 'null' and 'cancel_requested' or 'held'
    end
end
return states
"""


class Renewal:
    """Renews leases in Redis; see :meth:`service.jobs.repository.JobRepository.renew`."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._keys = keys
        self._renew = redis.register_script(_RENEW)

    def renew(
        self, leases: Collection[Lease], *, ttl_s: float, progress: Mapping[Lease, JobProgress]
    ) -> dict[Lease, LeaseState]:
        """What has become of each lease, which lasts for ``ttl_s`` seconds more if it was held."""
        if not leases:
            return {}
        keys, arguments = [self._keys.leases], [str(ttl_s).encode()]
        for lease in leases:
            done = progress.get(lease)
            keys.append(self._keys.job(lease.job_id))
            arguments += [lease.job_id.encode(), *map(to_json, (lease.attempt, lease.worker_id))]
            arguments.append(to_json(done) if done else b"")
        states = self._renew(keys=keys, args=arguments)
        return {lease: LeaseState(text(state)) for lease, state in zip(leases, states, strict=True)}
