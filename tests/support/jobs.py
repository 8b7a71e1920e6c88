"""Jobs as the API would have made them, for tests of the worker alone."""

from __future__ import annotations

import io
import math
import time
from typing import Any

import numpy as np
from PIL import Image
from pydantic_core import to_json

from service.jobs.artifacts import INPUTS, ArtifactStore
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobInput, JobMetrics, JobModel, JobOutput
from service.jobs.repository import JobRepository
from tests.support.fake_encoder import CARD

__all__ = ["METRICS", "OUTPUT", "PARAMS", "png", "submit", "wait_for"]

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
METRICS = JobMetrics(queue_s=0.5, run_s=2.0, forward_passes=80)


def png(*, seed: int = 0) -> bytes:
    """A small picture, encoded."""
    pixels = np.random.default_rng(seed).integers(0, 256, size=(16, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST).save(buffer, format="PNG")
    return buffer.getvalue()


def submit(repository: JobRepository, artifacts: ArtifactStore, queue: JobQueue | None = None, **changes: Any) -> Job:
    """Store a job of the fake model with its image, and enqueue it if there is a queue."""
    fields: dict[str, Any] = {
        "model": JobModel(id=CARD.id, revision=CARD.revision),
        "method": "fixlip",
        "params": PARAMS,
        "input": JobInput(image_sha256="0" * 64, caption="a red circle"),
    }
    job = Job(**{**fields, **changes})
    artifacts.write(job.id, INPUTS, {"image": png(), "request.json": to_json({"params": job.params})})
    repository.create(job, queue=queue)
    return job


def wait_for(repository: JobRepository, job_id: str, *statuses: str, within_s: float = 30.0) -> Job:
    """The job, as soon as its status is one of ``statuses``."""
    deadline = time.monotonic() + within_s
    while (job := repository.get(job_id)).status not in statuses:
        assert time.monotonic() < deadline, f"job is {job.status}, not {' or '.join(statuses)}: {job.error}"
        time.sleep(0.02)
    return job
