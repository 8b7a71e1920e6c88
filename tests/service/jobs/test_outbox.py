from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from redis import Redis

from service.jobs.outbox import LOOKED_AT, Letter, Outbox
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure, JobMetrics, JobStatus, JobWebhook, WebhookState, new_job_id
from service.jobs.repository import JobRepository
from service.jobs.storage.bundle import Bundle
from tests.support.jobs import METRICS, OUTPUT

URL = "https://hooks.example.com/fixlip"


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    return Outbox(redis)


def claim(outbox: Outbox, *, limit: int = 10, lease_s: float = 60, per_host: int = 4, **busy: int) -> list[Letter]:
    hosts = {name.replace("_", "."): count for name, count in busy.items()}
    return outbox.claim(limit, lease_s=lease_s, busy=hosts, per_host=per_host)


def ended(repository: JobRepository, job: Job, *, url: str = URL, tenant: str = "default") -> Job:
    """A copy of the job that has ended already."""
    now = datetime.now(UTC)
    fields = {"id": new_job_id(), "status": JobStatus.SUCCEEDED, "completed_at": now, "webhook": JobWebhook(url=url)}
    done = job.model_copy(update=fields)
    assert repository.create(done, tenant=tenant)
    return done


def end(repository: JobRepository, job: Job, status: JobStatus, queue: JobQueue) -> None:
    if status is JobStatus.CANCELED:
        repository.request_cancel(job.id, queue=queue)
        return
    if status is JobStatus.EXPIRED:
        assert repository.expire(job.id, queue=queue)
        return
    found = repository.claim(job.id, "w", ttl_s=60)
    assert found is not None
    if status is JobStatus.SUCCEEDED:
        assert repository.succeed(found.lease, OUTPUT, METRICS, results=Bundle(digest="0" * 64, size_bytes=7))
    else:
        assert repository.fail(found.lease, JobFailure(code="x", detail="y"), JobMetrics())


@pytest.mark.parametrize("status", [status for status in JobStatus if status.is_terminal])
def test_the_end_of_a_job_is_told_once(
    status: JobStatus, outbox: Outbox, repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    job = job.model_copy(update={"webhook": JobWebhook(url=URL)})
    repository.create(job, tenant="ada", queue=queue)
    assert claim(outbox) == []
    end(repository, job, status, queue)
    (letter,) = claim(outbox)
    assert (letter.host, letter.tenant, letter.about.status) == ("hooks.example.com", "ada", status)
    assert letter.webhook == JobWebhook(url=URL)
    assert claim(outbox) == []
    outbox.delivered(letter)
    assert claim(outbox) == []
    assert repository.get(job.id).webhook == JobWebhook(url=URL, state=WebhookState.DELIVERED, attempts=1)


def test_what_is_not_the_end_is_not_told(
    outbox: Outbox, repository: JobRepository, queue: JobQueue, job: Job, redis: Redis
) -> None:
    job = job.model_copy(update={"webhook": JobWebhook(url=URL)})
    repository.create(job, queue=queue)
    found = repository.claim(job.id, "w", ttl_s=60)
    assert found is not None
    repository.hand_back(found.lease, queue=queue)
    assert redis.zcard("fixlip:outbox") == 0


def test_a_job_without_a_webhook_is_not_told_of(
    outbox: Outbox, repository: JobRepository, queue: JobQueue, job: Job, redis: Redis
) -> None:
    repository.create(job, queue=queue)
    end(repository, job, JobStatus.FAILED, queue)
    assert redis.zcard("fixlip:outbox") == 0
    assert repository.get(job.id).webhook is None


def test_what_is_not_settled_is_due_again(outbox: Outbox, repository: JobRepository, job: Job) -> None:
    ended(repository, job)
    (first,) = claim(outbox, lease_s=0.2)
    assert claim(outbox) == []
    time.sleep(0.25)
    (second,) = claim(outbox)
    assert second == first


def test_a_retry_comes_after_its_pause(outbox: Outbox, repository: JobRepository, job: Job) -> None:
    done = ended(repository, job)
    (letter,) = claim(outbox)
    outbox.retry(letter, delay_s=0.2)
    assert claim(outbox) == []
    assert repository.get(done.id).webhook == JobWebhook(url=URL, attempts=1)
    time.sleep(0.25)
    (letter,) = claim(outbox)
    assert letter.webhook.attempts == 1
    outbox.given_up(letter)
    assert claim(outbox) == []
    assert repository.get(done.id).webhook == JobWebhook(url=URL, state=WebhookState.FAILED, attempts=2)


def test_whoever_comes_too_late_changes_nothing(outbox: Outbox, repository: JobRepository, job: Job) -> None:
    done = ended(repository, job)
    (late,) = claim(outbox, lease_s=0)
    (prompt,) = claim(outbox)
    outbox.delivered(prompt)
    outbox.retry(late, delay_s=0)
    outbox.given_up(late)
    assert repository.get(done.id).webhook == JobWebhook(url=URL, state=WebhookState.DELIVERED, attempts=1)
    assert claim(outbox) == []


def test_what_was_settled_and_not_taken_out_is_taken_out(
    outbox: Outbox, repository: JobRepository, job: Job, redis: Redis
) -> None:
    ended(repository, job)
    (letter,) = claim(outbox)
    outbox.delivered(letter)
    redis.zadd("fixlip:outbox", {letter.name: 0})  # its deliverer died in between
    assert claim(outbox) == []
    assert redis.zcard("fixlip:outbox") == 0


def test_with_the_job_goes_its_message(outbox: Outbox, repository: JobRepository, job: Job, redis: Redis) -> None:
    done = ended(repository, job)
    (letter,) = claim(outbox)
    repository.delete(done.id)
    assert redis.zcard("fixlip:outbox") == 0
    outbox.retry(letter, delay_s=0)
    assert redis.zcard("fixlip:outbox") == 0
    redis.zadd("fixlip:outbox", {letter.name: 0})
    assert claim(outbox) == []
    assert redis.zcard("fixlip:outbox") == 0


def test_the_oldest_come_first_and_no_more_than_asked_for(outbox: Outbox, repository: JobRepository, job: Job) -> None:
    made = [ended(repository, job, url=f"https://h{number}.example/").id for number in range(5)]
    assert [letter.about.id for letter in claim(outbox, limit=3)] == made[:3]
    assert [letter.about.id for letter in claim(outbox)] == made[3:]


def test_a_host_has_so_many_at_once(outbox: Outbox, repository: JobRepository, job: Job) -> None:
    for _ in range(5):
        ended(repository, job, url="https://slow.example/")
    other = ended(repository, job, url="https://quick.example/")
    taken = claim(outbox, per_host=3, slow_example=1)
    assert [letter.host for letter in taken] == ["slow.example", "slow.example", "quick.example"]
    assert taken[-1].about.id == other.id
    assert claim(outbox, per_host=3, slow_example=3) == []
    assert [letter.host for letter in claim(outbox, per_host=3)] == ["slow.example"] * 3


def test_a_busy_host_stands_in_nobodys_way(outbox: Outbox, repository: JobRepository, job: Job, redis: Redis) -> None:
    redis.zadd("fixlip:outbox", {f"slow.example {new_job_id()}": 1.0 for _ in range(2 * LOOKED_AT)})
    other = ended(repository, job, url="https://quick.example/")
    for _ in range(2):
        assert claim(outbox, per_host=1, slow_example=1) == []
    (letter,) = claim(outbox, per_host=1, slow_example=1)
    assert letter.about.id == other.id


def test_an_unreadable_job_is_left_to_others(outbox: Outbox, repository: JobRepository, job: Job, redis: Redis) -> None:
    broken, good = ended(repository, job), ended(repository, job)
    redis.hset(f"fixlip:job:{broken.id}", "status", b'"unheard of"')
    assert [letter.about.id for letter in claim(outbox)] == [good.id]
    assert redis.zcard("fixlip:outbox") == 2
