"""Submissions to real API processes that die at the worst moment, or that are two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from redis import Redis

from fixlip.stack import listen
from fixlip_core.encoders.card import ModelCard
from service.jobs._keys import text
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from tests.support.processes import ROOT, serving, wait_until

URL = "/v1/explanations"
CAPTION = "a red circle and a blue square"

DYING_API = """
import os, signal, sys
from fixlip.cli import main
from service.jobs.repository import JobRepository
from service.jobs.storage.bundles import BundleStore

create = JobRepository.create

def die(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)

def create_and_die(*args, **options):
    create(*args, **options)
    die()

if sys.argv.pop(1) == "before":
    BundleStore.add = die
else:
    JobRepository.create = create_and_die
main()
"""


@pytest.fixture
def redis(redis_url: str, card: ModelCard) -> Iterator[Redis]:
    """The session's server, which knows a worker of the demo model."""
    with connect(redis_url, timeout_s=5) as client:
        Catalogue(client).announce(card.to_dict(), "w1", ttl_s=600)
        yield client


@contextmanager
def dying(moment: str, redis_url: str, folder: Path) -> Iterator[str]:
    """URL of an API process that kills itself before, or after, it writes its first job."""
    environment = {**os.environ, "REDIS_URL": redis_url, "FIXLIP_DATA_DIR": str(folder)}
    with listen("127.0.0.1", 0) as listener, (folder / "dying.log").open("w") as log:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-c", DYING_API, moment, "serve", "--fd", str(listener.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, pass_fds=(listener.fileno(),), stdout=log, stderr=log
        )
    try:
        wait_until(lambda: _answers(url))
        yield url
        assert process.wait(10) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=5).is_success
    except httpx.TransportError:
        return False


def submit(url: str, image: bytes, key: str) -> httpx.Response:
    return httpx.post(
        f"{url}{URL}",
        files={"image": image},
        data={"caption": CAPTION},
        headers={"Idempotency-Key": key},
        timeout=30,
        trust_env=False,
    )


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_api_that_dies_over_a_submission_leaves_one_job_to_whoever_repeats_it(
    redis: Redis, redis_url: str, tmp_path: Path, image_png: bytes, moment: str
) -> None:
    with dying(moment, redis_url, tmp_path) as url, pytest.raises(httpx.TransportError):
        submit(url, image_png, "k")
    (reservation,) = redis.keys("fixlip:idempotency:*")
    promised = text(redis.hget(reservation, "job_id"))
    assert redis.llen("rq:queue:fixlip") == (moment == "after")

    with serving(redis_url, tmp_path) as url:
        if moment == "before":
            waiting = submit(url, image_png, "k")
            assert (waiting.status_code, waiting.json()["code"]) == (409, "idempotency_in_flight")
            redis.hset(reservation, "held_until", 1)  # half a minute later
        answers = [submit(url, image_png, "k") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert {answer.json()["id"] for answer in answers} == {promised}
    assert "Idempotency-Replayed" in answers[1].headers
    assert ("Idempotency-Replayed" in answers[0].headers) == (moment == "after")
    assert redis.llen("rq:queue:fixlip") == len(redis.keys("fixlip:job:*")) == 1


def test_two_apis_with_the_same_keys_at_the_same_time_make_one_job_of_each(
    redis: Redis, redis_url: str, tmp_path: Path, image_png: bytes
) -> None:
    keys, threads = 8, 6
    with ExitStack() as stack:
        folders = [tmp_path / name for name in "ab"]
        for folder in folders:
            folder.mkdir()
        urls = [
            stack.enter_context(serving(redis_url, folder, FIXLIP_STORE_URL=f"file://{tmp_path}/store"))
            for folder in folders
        ]
        start = threading.Barrier(threads)

        def client(number: int) -> list[httpx.Response]:
            start.wait()
            return [persistently(urls[number % 2], image_png, f"key-{key}") for key in range(keys)]

        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(client, range(threads)))

    for of_key in zip(*answers, strict=True):
        assert {answer.status_code for answer in of_key} == {202}
        assert len({answer.json()["id"] for answer in of_key}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in of_key) == 1
    assert redis.llen("rq:queue:fixlip") == len(redis.keys("fixlip:job:*")) == keys


def persistently(url: str, image: bytes, key: str) -> httpx.Response:
    """As a client does that was told to come again."""
    while (answer := submit(url, image, key)).status_code == 409:
        assert answer.json()["code"] == "idempotency_in_flight"
    return answer
