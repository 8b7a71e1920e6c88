"""What every step of a job costs each part of the service, counted: ``python -m benchmarks.scaling --measure all``.

Redis's commands and seconds of CPU are its own counts (``INFO``), differences between two moments; seconds of CPU of
the API are the kernel's. The worker is held (``SIGSTOP``) while the API's share is counted.
"""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from redis import Redis

from benchmarks.deployment import Deployment, deploy
from benchmarks.processes import usage_of
from benchmarks.service_times import Cost, Kind, ServiceTimes
from benchmarks.shapes import MODEL_ID, write_models_file
from benchmarks.workload import Finished, Submission, finish, png_of, small_jobs, submit
from fixlip.redis_server import RedisServer
from fixlip_core.demo.scenes import draw_scene
from service.jobs._keys import Keys
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobInput, JobModel
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings

__all__ = ["measure_kinds", "measure_steps"]

JOBS: Final = 32
POLLS: Final = 400
IDLE_S: Final = 20.0
MANY_WORKERS: Final = 3
RARE_READS, BUSY_CLIENTS, BUSY_ROUNDS = 400, 50, 1_000
LISTED_JOBS, LISTINGS = 5_000, 20
REST_S: Final = 2.0
LONG_JOB: Final = {"budget": 8_192, "estimator": "least_squares"}
WARM_UP: Final = {"budget": 32}
CAPTION: Final = "a small red circle left of a large blue square"
# Methods and parameters of the mix, and their share of the jobs.
KINDS: Final[Mapping[str, tuple[str, Mapping[str, Any], float]]] = {
    "FIxLIP, 512 images": ("fixlip", {"budget": 512}, 0.6),
    "FIxLIP, 128 images": ("fixlip", {"budget": 128}, 0.25),
    "Grad-ECLIP": ("grad_eclip", {}, 0.15),
}


def measure_steps(kinds: Mapping[str, Kind]) -> ServiceTimes:
    """Count what every step costs on this machine; takes some minutes.

    Args:
        kinds: the jobs, as they were measured.

    Raises:
        RuntimeError: the service did not start, or a job did not succeed.
    """
    alone, few_connections = _idle(1)
    many, many_connections = _idle(MANY_WORKERS)
    with deploy() as service:
        jobs = small_jobs(JOBS)
        finish(service.http, [submit(service.http, job) for job in jobs[:4]])
        before_bytes = _info(service.redis)["used_memory"]
        with _held(service), _counted(service) as submitting:
            paths = [submit(service.http, job) for job in jobs]
        with _counted(service) as running:
            done, polls = _wait(service, paths)
        with _held(service), _counted(service) as polling:
            for number in range(POLLS):
                service.http.get(paths[number % JOBS]).raise_for_status()
        with _held(service), _counted(service) as downloading:
            for job in done:
                _download(service, job)
        with _counted(service) as long_running:
            long = Submission(jobs[0].image, jobs[0].caption, params=LONG_JOB)
            _, long_polls = _wait(service, [submit(service.http, long)])
        kept_bytes = (_info(service.redis)["used_memory"] - before_bytes) / (JOBS + 1)
    poll, submitted = polling.cost.each(POLLS), submitting.cost.each(JOBS)
    # A worker alone with Redis costs more than one of many: sweeps take turns.
    small = running.cost.minus(alone, running.wall_s).minus(poll, polls).each(JOBS)
    whole = long_running.cost.minus(alone, long_running.wall_s).minus(poll, long_polls).minus(submitted, 1.0)
    second = whole.minus(small, 1.0).each(long_running.wall_s)
    return ServiceTimes(
        submit=submitted,
        poll=poll,
        download=downloading.cost.each(JOBS),
        # The leases of all jobs of a process are renewed at once, so what counts is the time that all took together.
        run=small.minus(second, running.wall_s / JOBS),
        running_second=second,
        idle_second=many.minus(alone, 1.0).each(MANY_WORKERS - 1),
        busy_share=_busy_share(),
        connections_per_worker=(many_connections - few_connections) / (MANY_WORKERS - 1),
        listed_s=_listing_s(),
        redis_bytes_per_job=kept_bytes,
        kinds=kinds,
        cores=os.cpu_count() or 1,
    )


def measure_kinds() -> dict[str, Kind]:
    """Measure the jobs of the mix, each alone; takes some minutes, and wants the machine for itself.

    Raises:
        RuntimeError: the service did not start, or a job did not succeed.
    """
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="fixlip-benchmark-")))
        file = write_models_file(folder, "ViT-B-32")
        service = exits.enter_context(deploy({"FIXLIP_MODELS_FILE": str(file), "FIXLIP_MODELS": ""}))
        image, found = png_of(draw_scene(1).image), {}
        finish(service.http, [submit(service.http, Submission(image, CAPTION, params=WARM_UP, model=MODEL_ID))])
        for name, (method, params, share) in KINDS.items():
            job = Submission(image, CAPTION, method, params, MODEL_ID)
            done = _succeeded(finish(service.http, [submit(service.http, job)])[0])
            files = [path for path in (service.data / "jobs" / done.id).rglob("*") if path.is_file()]
            size_bytes = sum(path.stat().st_size for path in files)
            found[name] = Kind(share, done.run_s, done.forward_passes, size_bytes, len(files))
    return found


def _idle(workers: int) -> tuple[Cost, int]:
    """A second without jobs, and Redis's connections."""
    with deploy(workers=[{}] * workers) as service:
        time.sleep(REST_S)
        with _counted(service) as counted:
            time.sleep(IDLE_S)
        return counted.cost.each(counted.wall_s), int(_info(service.redis)["connected_clients"])


def _busy_share() -> float:
    """What reading a record costs Redis when fifty clients ask at once, of what it costs when one asks now and then."""
    with tempfile.TemporaryDirectory(prefix="fixlip-benchmark-") as folder, RedisServer(Path(folder)) as server:
        redis = Redis.from_url(server.url)
        redis.hset("job", mapping={f"field {number}": "x" * 300 for number in range(20)})
        with ExitStack() as exits:
            sockets = [exits.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(BUSY_CLIENTS)]
            for client in sockets:
                client.connect(unquote(urlsplit(server.url).path))
            begin_s = _main_thread_s(_info(redis))
            for _ in range(RARE_READS):
                _read(sockets[:1])
                time.sleep(0.002)
            between_s = _main_thread_s(_info(redis))
            for _ in range(BUSY_ROUNDS):
                _read(sockets)
            end_s = _main_thread_s(_info(redis))
    rare_s, busy_s = (between_s - begin_s) / RARE_READS, (end_s - between_s) / (BUSY_ROUNDS * BUSY_CLIENTS)
    return busy_s / rare_s


def _read(clients: Sequence[socket.socket]) -> None:
    """Every client asks, then every client takes its answer."""
    for client in clients:
        client.sendall(b"HGETALL job\r\n")
    for client in clients:
        client.recv(1 << 16)


def _listing_s() -> float:
    """Seconds of Redis for each of many queued jobs, of a sweep that compares the queue with the records."""
    with tempfile.TemporaryDirectory(prefix="fixlip-benchmark-") as folder, RedisServer(Path(folder)) as server:
        settings = JobSettings(redis_url=server.url, data_dir=Path(folder))
        redis = Redis.from_url(server.url)
        repository, queue = JobRepository(redis), JobQueue(redis, settings)
        model, given = JobModel(id="demo", revision="sha256:0"), JobInput(image_sha256="0" * 64, caption=CAPTION)
        for _ in range(LISTED_JOBS):
            repository.create(Job(model=model, method="fixlip", params={}, input=given), queue=queue)
        before = _main_thread_s(_info(redis))
        for _ in range(LISTINGS):
            redis.zrange(Keys(settings.key_prefix).queued, 0, -1, withscores=True)
            queue.waiting()
        return (_main_thread_s(_info(redis)) - before) / (LISTED_JOBS * LISTINGS)


def _wait(service: Deployment, paths: Sequence[str]) -> tuple[list[Finished], int]:
    """The jobs as they ended, and how many times they were looked at."""
    polls = 0
    done = []
    for path in paths:
        while service.http.get(path).raise_for_status().json()["completed_at"] is None:
            polls += 1
            time.sleep(0.5)
        polls += 2
        done += [_succeeded(job) for job in finish(service.http, [path])]
    return done, polls


def _succeeded(job: Finished) -> Finished:
    if job.status != "succeeded":
        raise RuntimeError(f"a job ended {job.status} {job.code}")
    return job


def _download(service: Deployment, job: Finished) -> None:
    for url in (
        *(job.urls[name] for name in ("interactions_npz", "interactions_json", "result")),
        *job.urls["maps"].values(),
    ):
        service.http.get(url).raise_for_status()


@dataclass(slots=True)
class _Counted:
    cost: Cost = field(default_factory=lambda: Cost(0.0, 0.0))
    wall_s: float = 0.0


@contextmanager
def _counted(service: Deployment) -> Iterator[_Counted]:
    """Count what the block costs."""
    counted, started = _Counted(), time.perf_counter()
    before, commands_before, api_before = (
        _info(service.redis),
        _commands(service.redis),
        usage_of(service.pids["api"]).cpu_s,
    )
    yield counted
    after, commands, api = _info(service.redis), _commands(service.redis), usage_of(service.pids["api"]).cpu_s
    counted.wall_s = time.perf_counter() - started
    # Counting costs something as well, but very little beside what is counted.
    calls = {name: count - commands_before.get(name, 0.0) for name, count in commands.items() if name != "info"}
    counted.cost = Cost(
        _main_thread_s(after) - _main_thread_s(before),
        api - api_before,
        {name: count for name, count in calls.items() if count},
    )


@contextmanager
def _held(service: Deployment) -> Iterator[None]:
    """Hold the worker for the block."""
    pid = service.pids["worker 1"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _info(redis: Redis) -> dict[str, float]:
    return {name: value for name, value in redis.info().items() if isinstance(value, int | float)}


def _main_thread_s(info: Mapping[str, float]) -> float:
    return sum(info[f"used_cpu_{kind}_main_thread"] for kind in ("user", "sys"))


def _commands(redis: Redis) -> dict[str, float]:
    stats: Mapping[str, Mapping[str, float]] = redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): float(stat["calls"]) for name, stat in stats.items()}
