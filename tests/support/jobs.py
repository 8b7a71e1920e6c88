"""Jobs as the API would have made them, for tests of the worker alone."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from redis import Redis

from service.jobs.inputs import IMAGE
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobInput, JobMetrics, JobModel, JobOutput
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore
from tests.support.fake_encoder import CARD

__all__ = ["METRICS", "OUTPUT", "PARAMS", "RESULTS", "bundles_in", "png", "submit", "wait_for"]

PARAMS: dict[str, Any] = {
    "p": 0.5,
    "order": 2,
    "budget": 256,
    "estimator": "least_squares",
    "score": "logit",
    "seed": 0,
}

OUTPUT = JobOutput(
    index="WFBII",
    order=2,
    tokens=("red", "circle"),
    grid=(8, 8),
    empty_value=0.5,
    full_value=9.25,
    baseline=0.75,
    estimated_r2=math.nan,
    image_passes=64,
    text_passes=16,
)
RESULTS = Bundle(digest="5" * 64, size_bytes=100)
"""Which nobody has stored."""
METRICS = JobMetrics(queue_s=0.5, run_s=2.0, forward_passes=80)


def bundles_in(redis: Redis, data_dir: Path) -> BundleStore:
    """The store in a directory."""
    return BundleStore.open(JobSettings(data_dir=data_dir), redis)


def png(*, seed: int = 0) -> bytes:
    """A small picture, encoded."""
    pixels = np.random.default_rng(seed).integers(0, 256, size=(16, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST).save(buffer, format="PNG")
    return buffer.getvalue()


def submit(
    repository: JobRepository,
    bundles: BundleStore,
    queue: JobQueue | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    **changes: Any,
) -> Job:
    """Store a job of the fake model with its image or other ``files``, and enqueue it if there is a queue."""
    fields: dict[str, Any] = {
        "model": JobModel(id=CARD.id, revision=CARD.revision),
        "method": "fixlip",
        "params": PARAMS,
        "input": JobInput(image_sha256="0" * 64, caption="a red circle"),
    }
    job = Job(**{**fields, **changes})
    repository.create(job, queue=queue, inputs=bundles.add(files or {IMAGE: png()}))
    return job


def wait_for(repository: JobRepository, job_id: str, *statuses: str, within_s: float = 30.0) -> Job:
    """The job, as soon as its status is one of ``statuses``."""
    deadline = time.monotonic() + within_s
    while (job := repository.get(job_id)).status not in statuses:
        assert time.monotonic() < deadline, f"job is {job.status}, not {' or '.join(statuses)}: {job.error}"
        time.sleep(0.02)
    return job
