from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from service.jobs.answers import AnswerBook
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobStatus
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore
from tests.support.jobs import METRICS, OUTPUT

QUESTION = "a-question"


@pytest.fixture
def store(redis: Redis, settings: JobSettings, tmp_path: Path) -> BundleStore:
    return BundleStore.open(settings, redis)


@pytest.fixture
def book(redis: Redis, store: BundleStore) -> AnswerBook:
    return AnswerBook(redis, "fixlip", store)


@pytest.fixture
def results(repository: JobRepository, queue: JobQueue, job: Job, store: BundleStore) -> Bundle:
    """Those of ``job``, which has succeeded."""
    repository.create(job, queue=queue, answers=QUESTION)
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    bundle = store.add({"result.json": b"{}"})
    assert repository.succeed(claim.lease, OUTPUT, METRICS, results=bundle)
    return bundle


def test_an_answer_is_the_job_and_its_results(
    book: AnswerBook, repository: JobRepository, job: Job, results: Bundle
) -> None:
    assert book.find(QUESTION) == (repository.get(job.id), results)
    assert book.find("another") is None


def test_an_answer_that_was_found_outlives_its_job(
    book: AnswerBook, repository: JobRepository, job: Job, results: Bundle, store: BundleStore
) -> None:
    found = book.find(QUESTION)
    assert found is not None

    repository.delete(job.id)  # between the search and the job that is to have the results
    store.collect_garbage(most=10)
    copy = job.model_copy(update={"id": "f" * 32, "status": JobStatus.SUCCEEDED, "output": OUTPUT})
    repository.create(copy, results=found[1], answers=QUESTION)

    assert store.read(results) == {"result.json": b"{}"}
    assert book.find(QUESTION) == (repository.get(copy.id), results)


def test_results_that_nobody_holds_answer_nothing(
    book: AnswerBook, repository: JobRepository, job: Job, results: Bundle, redis: Redis
) -> None:
    # As it would be, had the job been removed between the two looks of a search.
    redis.srem(f"fixlip:holders:{results.digest}", f"job:{job.id}")

    assert book.find(QUESTION) is None


def test_results_that_are_being_removed_answer_nothing(book: AnswerBook, results: Bundle, redis: Redis) -> None:
    redis.set(f"fixlip:removing:{results.digest}", b"")

    assert book.find(QUESTION) is None


def test_a_job_that_has_gone_or_cannot_be_read_answers_nothing(
    book: AnswerBook, job: Job, results: Bundle, redis: Redis
) -> None:
    redis.hset(f"fixlip:job:{job.id}", "status", b'"colourful"')
    assert book.find(QUESTION) is None

    redis.delete(f"fixlip:job:{job.id}")
    assert book.find(QUESTION) is None
