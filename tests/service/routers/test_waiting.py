"""Requests that wait for a job's end, to a real server process over real HTTP."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from fixlip.redis_server import RedisServer
from fixlip_core.encoders.card import ModelCard
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.listing import JobFilter, JobListing
from service.jobs.records import DEFAULT_TENANT, Job, JobFailure, JobInput, JobModel, JobStatus
from service.jobs.repository import JobRepository
from tests.support.processes import serving, serving_process, wait_until

CAPTION = "a red circle and a blue square"
MORE_THAN_THREADS = 60


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(redis_server.url, tmp_path_factory.mktemp("api")) as url:
        yield url


@pytest.fixture
def repository(redis_url: str, card: ModelCard) -> JobRepository:
    redis = connect(redis_url, timeout_s=5)
    Catalogue(redis).announce(card.to_dict(), "w1", ttl_s=600)
    return JobRepository(redis)


@pytest.fixture
def job(repository: JobRepository) -> Job:
    image = JobInput(image_sha256="0" * 64, caption=CAPTION)
    job = Job(model=JobModel(id="demo", revision="sha256:0"), method="fixlip", params={}, input=image)
    assert repository.create(job)
    return job


def fail(repository: JobRepository, job_id: str) -> None:
    claim = repository.claim(job_id, "w1", ttl_s=60)
    assert claim is not None
    assert repository.fail(claim.lease, JobFailure(code="internal", detail="it was not to be"))


def wait_for(api: str, job: Job, seconds: int) -> httpx.Response:
    return httpx.get(f"{api}/v1/explanations/{job.id}", headers={"Prefer": f"wait={seconds}"}, timeout=70)


def later(seconds: float, act: Callable[[], object]) -> None:
    threading.Timer(seconds, act).start()


def test_a_job_is_answered_as_soon_as_it_has_ended(api: str, repository: JobRepository, job: Job) -> None:
    later(0.5, lambda: fail(repository, job.id))
    began_s = time.monotonic()

    response = wait_for(api, job, 99)

    assert 0.4 < time.monotonic() - began_s < 10
    assert (response.status_code, response.json()["status"]) == (200, "failed")
    assert response.headers["Preference-Applied"] == "wait=60"
    assert "Retry-After" not in response.headers
    assert response.json() == httpx.get(f"{api}/v1/explanations/{job.id}").json()


def test_a_job_that_does_not_end_in_time_is_answered_as_it_stands(api: str, job: Job) -> None:
    began_s = time.monotonic()

    response = wait_for(api, job, 1)

    assert 0.9 < time.monotonic() - began_s < 5
    assert (response.status_code, response.json()["status"]) == (200, "queued")
    assert response.headers["Preference-Applied"] == "wait=1"
    assert int(response.headers["Retry-After"]) >= 1


def test_a_submission_that_waits_says_by_its_status_whether_it_was_worth_it(
    api: str, repository: JobRepository, image_png: bytes, redis_url: str
) -> None:
    listing = JobListing(connect(redis_url, timeout_s=5))

    def submit(wait_s: int) -> httpx.Response:
        prefer = {"Prefer": f"wait={wait_s}"}
        data, files = {"caption": CAPTION}, {"image": image_png}
        return httpx.post(f"{api}/v1/explanations", headers=prefer, data=data, files=files, timeout=70)

    def fail_the_next() -> None:
        wait_until(lambda: listing.queued_jobs(DEFAULT_TENANT) > 0)
        page = listing.page(DEFAULT_TENANT, JobFilter(status=JobStatus.QUEUED), size=1)
        fail(repository, page.rows[0].job.id)

    assert submit(0).status_code == 202
    fail_the_next()
    assert submit(1).status_code == 202
    fail_the_next()
    later(0.0, fail_the_next)
    ended = submit(30)
    assert (ended.status_code, ended.json()["status"]) == (200, "failed")
    assert ended.headers["Location"] == ended.json()["urls"]["self"]
    assert ended.headers["Preference-Applied"] == "wait=30"


def test_waiting_takes_no_thread(api: str, repository: JobRepository, job: Job) -> None:
    async def crowd() -> set[str]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=api, timeout=70, limits=limits) as client:
            path, prefer = f"/v1/explanations/{job.id}", {"Prefer": "wait=50"}
            waits = [asyncio.create_task(client.get(path, headers=prefer)) for _ in range(MORE_THAN_THREADS)]
            await asyncio.sleep(1)
            response = await client.get(path, timeout=10)
            assert response.json()["status"] == "queued"
            assert not any(wait.done() for wait in waits)
            await asyncio.to_thread(fail, repository, job.id)
            return {response.json()["status"] for response in await asyncio.gather(*waits)}

    assert asyncio.run(crowd()) == {"failed"}


def test_a_job_that_is_removed_meanwhile_is_not_found(api: str, job: Job, redis_url: str) -> None:
    later(0.5, lambda: connect(redis_url, timeout_s=5).delete(f"fixlip:job:{job.id}"))

    response = wait_for(api, job, 30)

    assert (response.status_code, response.json()["code"]) == (404, "job_not_found")


def test_a_client_that_leaves_is_waited_for_no_longer(redis_url: str, job: Job, tmp_path: Path) -> None:
    with serving(redis_url, tmp_path, FIXLIP_LOG_LEVEL="info") as api:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{api}/v1/explanations/{job.id}", headers={"Prefer": "wait=60"}, timeout=0.5)
        time.sleep(0.5)
    assert "client_disconnected" in (tmp_path / "api.log").read_text()


def test_a_body_that_is_too_long_is_refused_while_the_client_waits(redis_url: str, job: Job, tmp_path: Path) -> None:
    with serving(redis_url, tmp_path, FIXLIP_MAX_IMAGE_BYTES="1000") as api:
        chunks, prefer = (b"x" * 100_000 for _ in range(20)), {"Prefer": "wait=5"}  # of no announced length
        response = httpx.request("GET", f"{api}/v1/explanations/{job.id}", content=chunks, headers=prefer, timeout=30)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_a_server_that_is_to_stop_answers_at_once(redis_url: str, job: Job, tmp_path: Path) -> None:
    with serving_process(redis_url, tmp_path) as (api, process), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for, api, job, 60)
        time.sleep(0.7)
        process.send_signal(signal.SIGTERM)
        began_s = time.monotonic()
        assert (waiting.result(20).status_code, waiting.result().json()["status"]) == (200, "queued")
        assert time.monotonic() - began_s < 3
