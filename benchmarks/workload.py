"""Jobs for a service under measurement: what is submitted, and how it is followed to its end."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
import numpy as np
from PIL import Image

from fixlip_core.demo.scenes import draw_scene
from fixlip_core.methods import METHODS
from fixlip_core.types import ImageArray

__all__ = ["Finished", "Submission", "finish", "mixed_jobs", "png_of", "small_jobs", "submit"]

SMALL_BUDGET: Final = 64
MIXED_BUDGETS: Final = (32, 64, 128, 256)
WAIT_S: Final = 0.02
FINAL: Final = frozenset({"succeeded", "failed", "canceled", "expired"})


@dataclass(frozen=True, slots=True)
class Submission:
    """A request for an explanation: an image file, a caption, and what is asked for."""

    image: bytes
    caption: str
    method: str = "fixlip"
    params: Mapping[str, Any] = field(default_factory=dict)
    model: str = "demo"


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that is final, as its record tells it.

    Attributes:
        id: its name.
        status: how it ended.
        code: why it failed, else an empty string.
        queue_s: from submitting to the start of the last run.
        run_s: from there to the end.
        forward_passes: passes of both towers.
        urls: where its results are.
    """

    id: str
    status: str
    code: str
    queue_s: float
    run_s: float
    forward_passes: int
    urls: Mapping[str, Any]

    @property
    def wall_s(self) -> float:
        """From submitting to the end."""
        return self.queue_s + self.run_s


def small_jobs(count: int) -> list[Submission]:
    """FIxLIP with 64 image passes on the demo encoder, each of a scene of its own."""
    return [_of_scene(seed, "fixlip", {"budget": SMALL_BUDGET, "seed": seed}) for seed in range(count)]


def mixed_jobs(count: int, *, seed: int = 0) -> list[Submission]:
    """Half of them FIxLIP with various budgets, the others each of the other methods in turn."""
    rng = np.random.default_rng(seed)
    others = [name for name in METHODS if name != "fixlip"]
    jobs = []
    for number in range(count):
        if number % 2:
            jobs.append(_of_scene(number, others[number // 2 % len(others)], {}))
        else:
            jobs.append(_of_scene(number, "fixlip", {"budget": int(rng.choice(MIXED_BUDGETS)), "seed": number}))
    return jobs


def submit(http: httpx.Client, job: Submission) -> str:
    """Submit a job; the path of the job.

    Raises:
        httpx.HTTPStatusError: the service refused it.
    """
    fields = {
        "caption": job.caption,
        "model": job.model,
        "method": job.method,
        "params": json.dumps(dict(job.params)),
        "cache": "bypass",  # a known answer is no work
    }
    response = http.post("/v1/explanations", data=fields, files={"image": ("image", job.image)})
    response.raise_for_status()
    return str(response.json()["urls"]["self"])


def finish(http: httpx.Client, paths: Sequence[str], *, poll_s: float = WAIT_S) -> list[Finished]:
    """Wait until every job is final, looking at one after the other.

    Raises:
        httpx.HTTPStatusError: a job is gone.
    """
    finished = []
    for path in paths:
        while (body := http.get(path).raise_for_status().json())["status"] not in FINAL:
            time.sleep(poll_s)
        finished.append(_finished(body))
    return finished


def png_of(pixels: ImageArray) -> bytes:
    """The image as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _of_scene(seed: int, method: str, params: Mapping[str, Any]) -> Submission:
    scene = draw_scene(seed)
    return Submission(png_of(scene.image), scene.caption, method, params)


def _finished(body: Mapping[str, Any]) -> Finished:
    created, started, completed = (
        datetime.fromisoformat(body[name] or body["created_at"])
        for name in ("created_at", "started_at", "completed_at")
    )
    return Finished(
        id=body["id"],
        status=body["status"],
        code=(body["error"] or {}).get("code", ""),
        queue_s=(started - created).total_seconds(),
        run_s=(completed - started).total_seconds(),
        forward_passes=body["metrics"]["forward_passes"] or 0,
        urls=body["urls"],
    )
