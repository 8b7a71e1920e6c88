from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from redis import Redis

from fixlip.redis_server import RedisServer
from service.jobs.connection import connect
from service.jobs.records import Job, JobInput, JobModel, JobStatus
from service.jobs.repository import JobRepository
from service.jobs.standings import Standing, Standings
from service.watching import Watcher

SOON_S = 0.02


class Counting(Standings):
    """Counts how often Redis is asked."""

    looks = 0

    def read(self, job_ids: Sequence[str]) -> dict[str, Standing | None]:
        self.looks += 1
        return super().read(job_ids)


def new_job(repository: JobRepository) -> Job:
    image = JobInput(image_sha256="0" * 64, caption="a red circle")
    job = Job(model=JobModel(id="demo", revision="sha256:0"), method="fixlip", params={}, input=image)
    assert repository.create(job)
    return job


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return connect(redis_url, timeout_s=1)


def test_it_tells_what_is_other_than_what_was_known(redis: Redis) -> None:
    repository, watcher = JobRepository(redis), Watcher(Standings(redis), look_every_s=SOON_S)
    job = new_job(repository)

    async def follow() -> Standing | None:
        async with watcher.running():
            waiting = asyncio.create_task(watcher.change(job.id, Standing.of(job)))
            await asyncio.sleep(10 * SOON_S)
            assert not waiting.done()
            repository.claim(job.id, "w1", ttl_s=60)
            return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(follow()) == Standing(JobStatus.RUNNING, 1, 0, 0)


def test_what_has_changed_already_is_told_at_the_next_look(redis: Redis) -> None:
    repository, watcher = JobRepository(redis), Watcher(Standings(redis), look_every_s=SOON_S)
    job = new_job(repository)
    repository.claim(job.id, "w1", ttl_s=60)

    async def follow() -> Standing | None:
        async with watcher.running():
            return await asyncio.wait_for(watcher.change(job.id, Standing.of(job)), 5)

    assert asyncio.run(follow()) == Standing(JobStatus.RUNNING, 1, 0, 0)


def test_a_thousand_waiters_cost_one_question_per_look(redis: Redis) -> None:
    repository, standings = JobRepository(redis), Counting(redis)
    watcher = Watcher(standings, look_every_s=0.1)
    jobs = [new_job(repository) for _ in range(50)]

    async def follow() -> None:
        async with watcher.running():
            waits = [asyncio.create_task(watcher.end(job.id, Standing.of(job), within_s=60)) for job in 20 * jobs]
            await asyncio.sleep(0.5)
            assert 1 <= standings.looks <= 6
            for job in jobs:
                redis.hset(f"fixlip:job:{job.id}", "status", '"canceled"')
            await asyncio.wait_for(asyncio.gather(*waits), 10)
            asked = standings.looks
            await asyncio.sleep(0.3)
            assert standings.looks == asked  # nobody waits, nothing is asked

    asyncio.run(follow())


def test_trouble_with_redis_is_waited_out(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, connect(server.url, timeout_s=1) as redis:
        repository, watcher = JobRepository(redis), Watcher(Standings(redis), look_every_s=SOON_S)
        job = new_job(repository)

        async def follow() -> Standing | None:
            async with watcher.running():
                waiting = asyncio.create_task(watcher.change(job.id, Standing.of(job)))
                await asyncio.to_thread(server.stop)
                await asyncio.sleep(10 * SOON_S)
                assert not waiting.done()
                await asyncio.to_thread(server.start)
                repository.claim(job.id, "w1", ttl_s=60)
                return await asyncio.wait_for(waiting, 5)

        assert asyncio.run(follow()) == Standing(JobStatus.RUNNING, 1, 0, 0)


def test_a_look_that_fails_is_followed_by_another(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    repository, standings = JobRepository(redis), Standings(redis)
    watcher = Watcher(standings, look_every_s=SOON_S)
    job, read = new_job(repository), standings.read
    repository.claim(job.id, "w1", ttl_s=60)
    faults = [RuntimeError("can't start new thread")]

    def failing(job_ids: Sequence[str]) -> dict[str, Standing | None]:
        if faults:
            raise faults.pop()
        return read(job_ids)

    monkeypatch.setattr(standings, "read", failing)

    async def follow() -> Standing | None:
        async with watcher.running():
            return await asyncio.wait_for(watcher.change(job.id, Standing.of(job)), 5)

    assert asyncio.run(follow()) == Standing(JobStatus.RUNNING, 1, 0, 0)
    assert faults == []


def test_the_end_is_waited_for_no_longer_than_asked(redis: Redis) -> None:
    repository, watcher = JobRepository(redis), Watcher(Standings(redis), look_every_s=SOON_S)
    job = new_job(repository)

    async def wait(within_s: float) -> float:
        async with watcher.running():
            began_s = time.monotonic()
            await watcher.end(job.id, Standing.of(job), within_s=within_s)
            return time.monotonic() - began_s

    assert 0.2 <= asyncio.run(wait(0.2)) < 5
    redis.delete(f"fixlip:job:{job.id}")
    assert asyncio.run(wait(60)) < 5


def test_whoever_waits_is_let_go_when_the_service_stops(redis: Redis) -> None:
    repository, watcher = JobRepository(redis), Watcher(Standings(redis), look_every_s=SOON_S)
    job = new_job(repository)

    async def stop() -> None:
        async with watcher.running():
            ending = asyncio.create_task(watcher.end(job.id, Standing.of(job), within_s=60))
            changing = asyncio.create_task(watcher.change(job.id, Standing.of(job)))
            await asyncio.sleep(SOON_S)
            watcher.close()
            await asyncio.wait_for(ending, 5)
            with pytest.raises(TimeoutError):
                await changing
            with pytest.raises(TimeoutError):
                await watcher.change(job.id, Standing.of(job))

    asyncio.run(stop())


def test_whoever_gives_up_is_forgotten_and_nobody_else(redis: Redis) -> None:
    repository, watcher = JobRepository(redis), Watcher(Standings(redis), look_every_s=SOON_S)
    job = new_job(repository)

    async def follow() -> Standing | None:
        async with watcher.running():
            impatient, patient = (asyncio.create_task(watcher.change(job.id, Standing.of(job))) for _ in range(2))
            await asyncio.sleep(SOON_S)
            impatient.cancel()
            repository.claim(job.id, "w1", ttl_s=60)
            return await asyncio.wait_for(patient, 5)

    assert asyncio.run(follow()) is not None
