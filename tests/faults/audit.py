"""What the service has left behind in Redis and on the disk when no job is open any more."""

from __future__ import annotations

from pathlib import Path

from pydantic_core import from_json
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from service.jobs._keys import Keys
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from tests.faults.parts import Part

__all__ = ["blamed", "jobs_of", "leftovers", "unpromised"]

SETTINGS = JobSettings()


def jobs_of(redis: Redis, worker: Part) -> set[str]:
    """Ids of the jobs that a worker process has leases of."""
    keys = Keys(SETTINGS.key_prefix)
    leased = [_text(member) for member in redis.zrange(keys.leases, 0, -1)]
    holders = {job_id: redis.hget(keys.job(job_id), "worker") for job_id in leased}
    mark = f"-{worker.pid}-"  # a worker's id is HOST-PID-RANDOM/SLOT
    return {job_id for job_id, holder in holders.items() if holder and mark in str(from_json(holder))}


def blamed(redis: Redis) -> set[str]:
    """Ids of the jobs that are noted to have lost a worker."""
    keys = Keys(SETTINGS.key_prefix)
    names = [key.decode() for key in redis.scan_iter(keys.job("*"), count=1000)]
    return {name.rpartition(":")[2] for name in names if redis.hget(name, "losses") not in (None, b"0")}


def leftovers(redis: Redis, data: Path) -> list[str]:
    """What should not be there: counters that are not 0, leases, queue entries, drafts."""
    keys = Keys(SETTINGS.key_prefix)
    queue = Queue(SETTINGS.queue_name, connection=redis, serializer=JSONSerializer)
    state = JobRepository(redis, SETTINGS.key_prefix).queue_state()
    drafts = [path for path in (data / "drafts").glob("*") if path.exists()]
    found = {
        "queued forward passes": state.queued_passes,
        "queued jobs": state.queued,
        "delayed jobs": state.delayed,
        "leases": redis.zcard(keys.leases),
        "batches to go on with": redis.zcard(keys.batches_to_feed),
        "batches' jobs in the queue": redis.scard(keys.batch_jobs_in_queue),
        "entries of RQ's queue": queue.count,
        "entries of RQ's intermediate queue": len(queue.intermediate_queue.get_job_ids()),
        "executions in RQ's books": len(queue.started_job_registry.get_job_ids(cleanup=False)),
        "drafts on the disk": len(drafts),
    }
    return [f"{number} {name}" for name, number in found.items() if number]


def unpromised(redis: Redis, promised: set[str]) -> dict[str, str]:
    """Status by id of jobs that exist though no client was told so: a refusal came too late, or an answer was lost."""
    keys = Keys(SETTINGS.key_prefix)
    ids = {key.decode().rpartition(":")[2] for key in redis.scan_iter(keys.job("*"), count=1000)}
    return {job_id: from_json(redis.hget(keys.job(job_id), "status") or b"null") for job_id in ids - promised}


def _text(name: object) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
