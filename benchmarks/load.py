"""What one API process stands: ``python -m benchmarks.load``.

Starts the real API and Redis, with an API key and no workers, and has locust read jobs and then submit pictures of
60 kB, each at a constant rate, whatever the answers take. Then every job is ended, by two that compete for it: those
that were answered with 202 must all be there, no others, and each must have ended exactly once. Latencies are those
that the client sees, which takes CPU, too.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from redis import Redis
from rich.console import Console
from rich.table import Table

from benchmarks.deployment import Deployment, deploy
from benchmarks.processes import usage_of
from fixlip_core.encoders.card import ModelCard
from service.access.keys import KeyStore
from service.access.principal import Scope
from service.jobs.catalogue import Catalogue
from service.jobs.errors import JobFinalError
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure, JobInput, JobModel, JobOutput, JobStatus, MapInfo, TopInteraction
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings

IMAGE_BYTES, IMAGE_SIDE_PX = 60_000, 384
KNOWN_JOBS = 200
SETTLING_S = 5
TENANT = "load"
PREFIX = "fixlip"
USERS: Final = Path(__file__).with_name("load_users.py")
CARD: Final = ModelCard(
    id="demo",
    weights_sha256="0123456789abcdef" * 4,
    family="clip",
    embed_dim=128,
    grid=(8, 8),
    image_size_px=(128, 128),
    context_length=40,
    n_marks=2,
    tokenizer="clip-bpe",
    attention=True,
    logit_scale=100.0,
    logit_bias=0.0,
    precision="fp32",
    device="cpu",
)


@dataclass(frozen=True, slots=True)
class Load:
    """What became of a load.

    Attributes:
        name: of the requests.
        seconds: how long it went on.
        latencies_ms: number of answers by milliseconds, as far as the client saw them.
        failures: requests that were not answered as they should be.
        cpu_s: seconds of CPU that each part took.
        api_rss_bytes: resident memory of the API in the end.
    """

    name: str
    seconds: float
    latencies_ms: Mapping[float, int]
    failures: int
    cpu_s: Mapping[str, float]
    api_rss_bytes: int

    @property
    def requests(self) -> int:
        """How many there were."""
        return sum(self.latencies_ms.values())

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent of the answers did not exceed."""
        wanted, seen = percent / 100 * self.requests, 0
        for latency_ms, number in sorted(self.latencies_ms.items()):
            seen += number
            if seen >= wanted:
                return latency_ms
        return float("nan")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="how long each load goes on")
    parser.add_argument("--reads", type=int, default=300, help="jobs read each second")
    parser.add_argument("--submits", type=int, default=100, help="pictures submitted each second")
    parser.add_argument("--quota", action="store_true", help="the tenant's requests are limited, beyond what is sent")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    environment = {"FIXLIP_AUTH": "keys", "FIXLIP_LOG_LEVEL": "info", "FIXLIP_MAX_QUEUED_PASSES": str(10**9)}
    if options.quota:
        environment["FIXLIP_QUOTA_REQUESTS_PER_MIN"] = str(10**6)
    console = Console(width=120)
    with deploy(environment, workers=()) as service, tempfile.TemporaryDirectory() as folder:
        users = Users.of(service, Path(folder), seed=options.seed)
        loads = [
            users.run("Reader", rate=options.reads, seconds=options.seconds),
            users.run("Submitter", rate=options.submits, seconds=options.seconds),
        ]
        console.print(table_of(loads))
        console.print(end_all(service, users.accepted()))


@dataclass(frozen=True, slots=True)
class Users:
    """Clients of a service, and the folder through which they are told what to do."""

    service: Deployment
    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, service: Deployment, folder: Path, *, seed: int) -> Users:
        """Clients with a key, a picture, and jobs that they can read: half of them wait, half have succeeded."""
        Catalogue(service.redis, PREFIX).announce(CARD.to_dict(), "nobody", ttl_s=86_400)
        _, key = KeyStore(service.redis, PREFIX).create(TENANT, frozenset(Scope))
        paths = [f"/v1/explanations/{job_id}" for job_id in _known_jobs(service.redis)]
        (folder / "jobs.json").write_text(json.dumps(paths), encoding="utf-8")
        (folder / "image.jpg").write_bytes(picture(np.random.default_rng(seed)))
        own = {"FIXLIP_LOAD_FOLDER": str(folder), "FIXLIP_LOAD_KEY": key, "FIXLIP_LOAD_SEED": str(seed)}
        return cls(service, folder, {**os.environ, **own})

    def run(self, kind: str, *, rate: int, seconds: int) -> Load:
        """Have so many users of this kind ask once a second each."""
        results = self.folder / kind
        command = [sys.executable, "-m", "locust", "-f", str(USERS), kind, "--headless", "--only-summary"]
        command += ["--host", str(self.service.http.base_url), "-u", str(rate), "-r", str(rate)]
        command += ["-t", f"{seconds}s", "--stop-timeout", str(SETTLING_S), "--json-file", str(results)]
        before = self.service.usage()
        with subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as locust:
            client_cpu_s = _watch_cpu(locust)
        after = self.service.usage()
        cpu_s = {name: after[name].cpu_s - before[name].cpu_s for name in after} | {"client": client_cpu_s}
        (stats,) = json.loads(results.with_suffix(".json").read_text(encoding="utf-8"))
        latencies = {float(ms): number for ms, number in stats["response_times"].items()}
        lasted_s = stats["last_request_timestamp"] - stats["start_time"]
        return Load(stats["name"], lasted_s, latencies, stats["num_failures"], cpu_s, after["api"].rss_bytes)

    def accepted(self) -> list[str]:
        """Ids of the jobs that were answered with 202."""
        lines = (self.folder / "journal").read_text(encoding="utf-8").splitlines()
        return [job_id for status, job_id in map(str.split, lines) if status == "202"]


def picture(rng: np.random.Generator) -> bytes:
    """A JPEG of almost the wanted number of bytes."""
    coarse = rng.integers(0, 256, (IMAGE_SIDE_PX // 6, IMAGE_SIDE_PX // 6, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((IMAGE_SIDE_PX, IMAGE_SIDE_PX), Image.Resampling.BICUBIC)
    for quality in range(95, 0, -1):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= IMAGE_BYTES:
            break
    return buffer.getvalue()


def end_all(service: Deployment, accepted: Sequence[str]) -> Table:
    """End every job, and what has become of those that were accepted."""
    repository = JobRepository(service.redis, PREFIX)
    queue = JobQueue(service.redis, JobSettings())
    there = {key.decode().rpartition(":")[2] for key in service.redis.scan_iter(f"{PREFIX}:job:*", count=1_000)}
    known = set(json.loads(service.redis.get("known-jobs") or "[]"))

    def fail(job_id: str) -> str | None:
        claim = repository.claim(job_id, "nobody", ttl_s=60)
        failure = JobFailure(code="internal", detail="a benchmark")
        return job_id if claim is not None and repository.fail(claim.lease, failure) else None

    def cancel(job_id: str) -> str | None:
        try:
            job = repository.request_cancel(job_id, queue=queue)
        except JobFinalError:
            return None
        return job_id if job.status is JobStatus.CANCELED else None

    with ThreadPoolExecutor(4) as pool:
        races = [pool.submit(act, job_id) for job_id in accepted for act in (fail, cancel)]
        ends = Counter(job_id for race in races if (job_id := race.result()) is not None)
    final = sum(repository.get(job_id).status.is_terminal for job_id in set(accepted) & there)
    rows = {
        "answered with 202": len(accepted),
        "of these, the same id twice": len(accepted) - len(set(accepted)),
        "of these, lost": len(set(accepted) - there),
        "there, but never answered": len(there - set(accepted) - known),
        "final in the end": final,
        "ended by nobody": sum(ends[job_id] == 0 for job_id in set(accepted)),
        "ended twice": sum(number > 1 for number in ends.values()),
    }
    table = Table("jobs", "number", title="each accepted job ends exactly once")
    for name, number in rows.items():
        table.add_row(name, f"{number:,}")
    return table


def table_of(loads: Sequence[Load]) -> Table:
    """Latencies, failures and what it took."""
    table = Table(title="one API process, keys on")
    names = (
        "",
        "a second",
        "failed",
        "p50, ms",
        "p95, ms",
        "p99, ms",
        "max, ms",
        "CPU of the API, ms each",
        "of Redis",
    )
    for name in (*names, "of the client", "API, MB"):
        table.add_column(name, justify="right" if name else "left")
    for load in loads:
        latencies = [f"{load.percentile_ms(percent):.0f}" for percent in (50, 95, 99, 100)]
        each = [f"{1e3 * load.cpu_s[part] / max(load.requests, 1):.2f}" for part in ("api", "redis", "client")]
        rate = f"{load.requests / load.seconds:.0f}"
        table.add_row(load.name, rate, f"{load.failures}", *latencies, *each, f"{load.api_rss_bytes / 1e6:.0f}")
    return table


def _known_jobs(redis: Redis) -> list[str]:
    repository, queue = JobRepository(redis, PREFIX), JobQueue(redis, JobSettings())
    ids = []
    for number in range(KNOWN_JOBS):
        job = _typical_job(is_over=number % 2 == 0)
        repository.create(job, tenant=TENANT, queue=None if job.status.is_terminal else queue, cost_passes=500)
        ids.append(job.id)
    redis.set("known-jobs", json.dumps(ids))
    return ids


def _typical_job(*, is_over: bool) -> Job:
    fields: dict[str, Any] = {"status": JobStatus.SUCCEEDED, "output": _output()} if is_over else {}
    return Job(
        model=JobModel(id=CARD.id, revision=CARD.revision),
        method="fixlip",
        params={"p": 0.5, "order": 2, "budget": 512, "estimator": "gp", "score": "logit", "seed": 0},
        input=JobInput(image_sha256="0" * 64, caption="a red circle and a blue square"),
        **fields,
    )


def _output() -> JobOutput:
    return JobOutput(
        index="WFBII",
        order=2,
        tokens=("a", "red", "circle", "and", "a", "blue", "square"),
        grid=CARD.grid,
        empty_value=0.5,
        full_value=9.25,
        baseline=0.75,
        estimated_r2=0.99,
        image_passes=512,
        text_passes=128,
        maps=tuple(MapInfo(name=f"token-{number}", title="a word") for number in range(9)),
        top_interactions=tuple(
            TopInteraction(labels=("r3c5", "red"), players=(29, 65), value=1.5, std_error=0.25) for _ in range(20)
        ),
    )


def _watch_cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds of CPU of a process, as last seen before it ends."""
    cpu_s = 0.0
    while process.poll() is None:
        try:
            cpu_s = usage_of(process.pid).cpu_s
        except OSError:
            break
        time.sleep(0.2)
    process.wait()
    return cpu_s


if __name__ == "__main__":
    main()
