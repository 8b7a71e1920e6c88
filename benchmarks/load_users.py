"""What the clients of :mod:`benchmarks.load` do: a locustfile. Its settings come in ``FIXLIP_LOAD_*`` variables."""

from __future__ import annotations

import json
import os
import random
import time
from itertools import count
from pathlib import Path
from typing import Any, Final

from locust import FastHttpUser, task

__all__ = ["Reader", "Submitter"]

FOLDER: Final = Path(os.environ["FIXLIP_LOAD_FOLDER"])
AUTHORIZATION: Final = {"Authorization": f"Bearer {os.environ['FIXLIP_LOAD_KEY']}"}
JOBS: Final[list[str]] = json.loads((FOLDER / "jobs.json").read_text(encoding="utf-8"))
IMAGE: Final = (FOLDER / "image.jpg").read_bytes()
JOURNAL: Final = (FOLDER / "journal").open("a", encoding="utf-8", buffering=1)
RANDOM: Final = random.Random(int(os.environ["FIXLIP_LOAD_SEED"]))
NUMBERS: Final = count()
BOUNDARY: Final = "a-boundary"
TABLE: Final = IMAGE.index(b"\xff\xdb") + 5  # the first quantization table: each other one gives another picture


class _Steady(FastHttpUser):
    """Asks once a second by the clock, whatever the answers take; so many of them are a constant rate of arrival."""

    # locust's own constant pacing counts from the end of the task before. The users then come as fast as they were
    # answered: once there was a queue, there is one for ever.
    abstract = True

    def on_start(self) -> None:
        """Come at a moment of its own within the second."""
        self._due_s = time.monotonic() + RANDOM.random()
        time.sleep(self._due_s - time.monotonic())

    def wait_time(self) -> float:
        """Seconds until its moment comes again."""
        self._due_s += 1.0
        return max(0.0, self._due_s - time.monotonic())


class Reader(_Steady):
    """Reads one job after another."""

    @task
    def read(self) -> None:
        """Read one of them."""
        self.client.get(RANDOM.choice(JOBS), headers=AUTHORIZATION, name="GET job")


class Submitter(_Steady):
    """Submits one picture after another, no two of them the same."""

    @task
    def submit(self) -> None:
        """Submit the next one, under a key of its own, and note what was answered."""
        number = next(NUMBERS)
        form: Any = _form(number)  # bytes are sent as they are, which its types do not tell
        headers = {
            **AUTHORIZATION,
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Idempotency-Key": f"load-{number}",
        }
        with self.client.post(
            "/v1/explanations", data=form, headers=headers, name="POST job", catch_response=True
        ) as response:
            accepted = response.status_code == 202
            job_id = response.json()["id"] if accepted else "-"
            JOURNAL.write(f"{response.status_code} {job_id}\n")
            if not accepted:
                response.failure(f"{response.status_code}: {response.text}")


def _form(number: int) -> bytes:
    image = bytearray(IMAGE)
    for place in (1, 2, 3):  # of coefficients that are seldom 0
        number, digit = divmod(number, 100)
        image[TABLE + place] = 1 + digit
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="caption"\r\n\r\na red circle and a blue square\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="params"\r\n\r\n{{"budget": 16}}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="image.jpg"\r\n\r\n'
    )
    return head.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
