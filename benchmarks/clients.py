"""Clients as they come: good requests and bad ones, patient and impatient."""

from __future__ import annotations

import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import numpy as np
from PIL import Image

from benchmarks.workload import Submission, finish, submit
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.methods import METHODS

__all__ = ["Visitor"]

BUDGETS: Final = (16, 64, 128, 256, 512)
SIDES_PX: Final = (32, 128, 320, 800, 1_600)
SCENES: Final = 10_000
LONG_JOB: Final[Mapping[str, Any]] = {"budget": 4_096, "estimator": "least_squares"}
LONGEST_PATIENCE_S: Final = 1.0
READS: Final = ("/v1/models", "/v1/methods", "/readyz", "/livez", "/metrics", "/openapi.json")
# What is wrong, and the form's fields that make it so; `image` is the file's bytes.
FAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "no image": {"image": b"this is no image"},
    "half an image": {"image": b"\x89PNG\r\n\x1a\n\x00\x00"},
    "no caption": {"caption": ""},
    "a long caption": {"caption": "a very long caption " * 200},
    "unknown model": {"model": "nobody"},
    "unknown method": {"method": "guess"},
    "unknown parameter": {"params": '{"colour": "red"}'},
    "wrong parameter": {"params": '{"budget": -1, "p": 7}'},
    "too many passes": {"params": '{"budget": 10000000}'},
    "broken JSON": {"params": "{"},
    "an empty box": {"params": '{"boxes": [[5, 5, 5, 5]]}'},
}


class Visitor:
    """A client that does one thing after another.

    Args:
        base_url: where the service answers.
        rng: what it does.
    """

    def __init__(self, base_url: str, rng: np.random.Generator) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=60.0, trust_env=False)
        self._rng = rng
        self._counts: Counter[str] = Counter()
        self.is_resting = threading.Event()
        """Set while it waits for leave to go on; nothing of its own runs then."""

    def visit(self, may_go: threading.Event, enough: threading.Event) -> Counter[str]:
        """Do one thing after another while it may, until it is enough; what became of the requests."""
        acts: tuple[Callable[[], None], ...] = (self._explain, self._explain, self._explain, self._err, self._look)
        with self._http:
            while not enough.is_set():
                if not may_go.is_set():
                    self.is_resting.set()
                    may_go.wait()
                    self.is_resting.clear()
                    continue
                act = self._cancel if self._rng.random() < 0.1 else acts[self._rng.integers(len(acts))]
                act()
        return self._counts

    def _explain(self) -> None:
        method = str(self._rng.choice(list(METHODS)))
        params: dict[str, Any] = {}
        if method == "fixlip":
            params = {"budget": int(self._rng.choice(BUDGETS)), "order": int(self._rng.integers(1, 3))}
            params["index"] = str(self._rng.choice(["banzhaf", "shapley"]))
        image, caption = self._pair()
        path = submit(self._http, Submission(image, caption, method, params))
        (job,) = finish(self._http, [path], poll_s=float(self._rng.uniform(0.05, 0.5)))
        self._counts[f"job {job.status} {job.code}".strip()] += 1
        if job.status == "succeeded" and self._rng.random() < 0.5:
            names = ("interactions_npz", "interactions_json", "result")
            for url in (*(job.urls[name] for name in names), *job.urls["maps"].values()):
                self._count("download", self._http.get(url))

    def _cancel(self) -> None:
        path = submit(self._http, Submission(*self._pair(), params=LONG_JOB))
        time.sleep(self._rng.uniform(0.0, LONGEST_PATIENCE_S))
        self._count("cancel", self._http.post(f"{path}/cancel"))
        (job,) = finish(self._http, [path])
        self._counts[f"impatient job {job.status} {job.code}".strip()] += 1

    def _err(self) -> None:
        name = str(self._rng.choice(list(FAULTS)))
        image, caption = self._pair()
        fields: dict[str, Any] = {"caption": caption, "image": image, "params": json.dumps({}), **FAULTS[name]}
        files = {"image": ("image", fields.pop("image"))}
        self._count(f"bad: {name}", self._http.post("/v1/explanations", data=fields, files=files))

    def _look(self) -> None:
        path = str(self._rng.choice(READS))
        self._count(f"GET {path}", self._http.get(path))
        self._count("GET a job that is not", self._http.get(f"/v1/explanations/{'0' * 32}"))

    def _pair(self) -> tuple[bytes, str]:
        """An image file, PNG or JPEG, small or large, and its caption."""
        scene = draw_scene(int(self._rng.integers(SCENES)))
        side = int(self._rng.choice(SIDES_PX))
        buffer = io.BytesIO()
        Image.fromarray(scene.image).resize((side, side)).save(buffer, str(self._rng.choice(["PNG", "JPEG"])))
        return buffer.getvalue(), scene.caption

    def _count(self, what: str, response: httpx.Response) -> None:
        self._counts[f"{what}: {response.status_code}"] += 1
