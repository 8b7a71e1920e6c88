"""Streams of events, from a real server process over real HTTP."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixlip.redis_server import RedisServer
from service.jobs.connection import connect
from service.jobs.leases import Lease
from service.jobs.records import Job, JobFailure, JobInput, JobModel, JobProgress
from service.jobs.repository import JobRepository
from tests.support.processes import serving, serving_process, wait_until

Event = dict[str, str]
START = {"id": "1", "event": "start", "data": '{"attempt":1}'}


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(redis_server.url, tmp_path_factory.mktemp("api"), FIXLIP_MAX_STREAMS="3") as url:
        yield url


@pytest.fixture
def repository(redis_url: str) -> JobRepository:
    return JobRepository(connect(redis_url, timeout_s=5))


@pytest.fixture
def job(repository: JobRepository) -> Job:
    image = JobInput(image_sha256="0" * 64, caption="a red circle\r\nand a line break")
    job = Job(model=JobModel(id="demo", revision="sha256:0"), method="fixlip", params={}, input=image)
    assert repository.create(job)
    return job


def begin(repository: JobRepository, job: Job) -> Lease:
    claim = repository.claim(job.id, "w1", ttl_s=60)
    assert claim is not None
    return claim.lease


def advance(repository: JobRepository, lease: Lease, done: int) -> None:
    repository.renew([lease], ttl_s=60, progress={lease: JobProgress(completed=done, total=10)})


@contextmanager
def following(api: str, job: Job, last_event_id: str | None = None) -> Iterator[tuple[httpx.Response, Iterator[Event]]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with httpx.stream("GET", f"{api}/v1/explanations/{job.id}/events", headers=headers, timeout=20) as response:
        yield response, events_of(response)


def events_of(response: httpx.Response) -> Iterator[Event]:
    """Events as a browser reads them; comments and what has no data are none."""
    fields: Event = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif not line and "data" in fields:
            yield fields
            fields = {}
        elif not line:
            fields = {}


def progress(done: int) -> Event:
    data = json.dumps({"completed": done, "total": 10, "unit": "forward_passes"}, separators=(",", ":"))
    return {"id": f"1-{done}-10", "event": "progress", "data": data}


def test_a_job_is_followed_to_its_end(api: str, repository: JobRepository, job: Job) -> None:
    with following(api, job) as (response, events):
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in response.headers
        lease = begin(repository, job)
        assert next(events) == START
        advance(repository, lease, 4)
        assert next(events) == progress(4)
        repository.fail(lease, JobFailure(code="internal", detail="it was not to be"))
        (end,) = events  # and the stream ends

    assert (end["event"], end["id"]) == ("completed", "1-4-10-failed")
    body: dict[str, Any] = json.loads(end["data"])
    assert body == httpx.get(f"{api}/v1/explanations/{job.id}").json()
    assert body["error"]["code"] == "internal"


def test_who_comes_back_gets_what_is_missing_and_in_the_end_nothing(
    api: str, repository: JobRepository, job: Job
) -> None:
    lease = begin(repository, job)
    with following(api, job) as (_, events):
        assert next(events) == START
    advance(repository, lease, 4)
    with following(api, job, START["id"]) as (_, events):
        assert next(events) == progress(4)
    repository.cancel(lease)
    with following(api, job, progress(4)["id"]) as (_, events):
        (end,) = events
    assert end["id"] == "1-4-10-canceled"
    with following(api, job, end["id"]) as (response, events):
        assert (response.status_code, list(events)) == (204, [])
    with following(api, job) as (_, events):
        assert [event["event"] for event in events] == ["start", "progress", "completed"]


def test_another_process_goes_on_where_one_was_stopped(
    redis_url: str, repository: JobRepository, job: Job, tmp_path: Path
) -> None:
    lease = begin(repository, job)
    with serving_process(redis_url, tmp_path) as (first, process), following(first, job) as (_, events):
        assert next(events) == START
        stopped_at_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert list(events) == []
        process.wait(10)
        assert time.monotonic() - stopped_at_s < 3

    advance(repository, lease, 4)
    with serving(redis_url, tmp_path) as second, following(second, job, START["id"]) as (_, events):
        assert next(events) == progress(4)


def test_a_job_that_is_removed_ends_the_stream(api: str, repository: JobRepository, job: Job, redis_url: str) -> None:
    with following(api, job) as (_, events):
        connect(redis_url, timeout_s=5).delete(f"fixlip:job:{job.id}")
        assert list(events) == []
    with following(api, job) as (response, _):
        assert response.status_code == 404


def test_too_many_streams_are_refused_until_one_ends(api: str, job: Job) -> None:
    with following(api, job), following(api, job):
        with following(api, job), following(api, job) as (refused, _):
            assert refused.status_code == 503
            refused.read()
            assert refused.json()["code"] == "too_many_streams"
            assert int(refused.headers["Retry-After"]) > 0
        wait_until(lambda: _opens(api, job))


def _opens(api: str, job: Job) -> bool:
    with following(api, job) as (response, _):
        return response.status_code == 200


def test_no_such_job(api: str, redis_url: str) -> None:
    response = httpx.get(f"{api}/v1/explanations/{'0' * 32}/events")
    assert (response.status_code, response.json()["code"]) == (404, "job_not_found")


def test_head_of_a_stream_does_not_wait_for_its_end(api: str, job: Job) -> None:
    more_than_may_be_open = 5
    with httpx.Client(timeout=10) as client:
        responses = [client.head(f"{api}/v1/explanations/{job.id}/events") for _ in range(more_than_may_be_open)]

    assert {response.status_code for response in responses} == {200}
    assert {response.headers["Content-Type"].partition(";")[0] for response in responses} == {"text/event-stream"}
