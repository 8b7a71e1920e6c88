from __future__ import annotations

from redis import Redis

from service.jobs._keys import text
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure, JobStatus, new_job_id
from service.jobs.repository import JobRepository
from service.jobs.storage.bundle import Bundle
from tests.support.jobs import METRICS, OUTPUT

RESULTS = Bundle(digest="0" * 64, size_bytes=7)
KEY = "fixlip:answers:a-question"


def newest(redis: Redis) -> str | None:
    found = redis.zrevrange(KEY, 0, 0)
    return text(found[0]) if found else None


def succeeded(repository: JobRepository, queue: JobQueue, job: Job, *, answers: str | None = "a-question") -> Job:
    own = job.model_copy(update={"id": new_job_id()})
    repository.create(own, queue=queue, answers=answers)
    claim = repository.claim(own.id, "w/1", ttl_s=60)
    assert claim is not None
    assert repository.succeed(claim.lease, OUTPUT, METRICS, results=RESULTS)
    return own


def test_the_last_job_that_succeeded_has_the_answer(
    repository: JobRepository, redis: Redis, queue: JobQueue, job: Job
) -> None:
    first = succeeded(repository, queue, job)
    assert newest(redis) == first.id

    second = succeeded(repository, queue, job)
    assert newest(redis) == second.id


def test_a_job_that_has_not_succeeded_has_none(
    repository: JobRepository, redis: Redis, queue: JobQueue, job: Job
) -> None:
    repository.create(job, queue=queue, answers="a-question")
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    assert newest(redis) is None

    repository.fail(claim.lease, JobFailure(code="x", detail="y"))
    assert newest(redis) is None


def test_a_job_that_is_born_succeeded_has_it_too(repository: JobRepository, redis: Redis, job: Job) -> None:
    born = job.model_copy(update={"status": JobStatus.SUCCEEDED, "output": OUTPUT})
    repository.create(born, answers="a-question", results=RESULTS)

    assert newest(redis) == born.id


def test_a_removed_job_takes_its_own_answer_along_and_no_others(
    repository: JobRepository, redis: Redis, queue: JobQueue, job: Job
) -> None:
    first, second = succeeded(repository, queue, job), succeeded(repository, queue, job)

    repository.delete(second.id)
    assert newest(redis) == first.id

    repository.delete(first.id)
    assert newest(redis) is None


def test_a_job_without_a_question_answers_nobody(
    repository: JobRepository, redis: Redis, queue: JobQueue, job: Job
) -> None:
    own = succeeded(repository, queue, job, answers=None)
    repository.delete(own.id)

    assert redis.keys("fixlip:answers:*") == []
