"""An API process that is to stop while it compares."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from fixlip.client import Client
from tests.support.fake_worker import fake_worker
from tests.support.jobs import png
from tests.support.processes import alive, serving_process, wait_until


def drawing(pid: int) -> set[int]:
    """The processes that draw for a process."""
    found: set[int] = set()
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        found |= {int(child) for child in tasks.read_text().split()}
    return {child for child in found if "rendering.drawing" in Path(f"/proc/{child}/cmdline").read_text()}


@pytest.mark.slow
def test_the_process_that_compares_ends_with_it(redis_url: str, tmp_path: Path) -> None:
    with (
        ThreadPoolExecutor(1) as threads,
        fake_worker(redis_url, tmp_path),
        serving_process(redis_url, tmp_path) as (url, process),
    ):
        with Client(url) as client:
            ways = [{"budget": 64, "p": p} for p in (0.4, 0.6)]
            submitted = [client.submit(image=png(), caption="a red dog", params=way) for way in ways]
            ids = ",".join(client.wait(job).id for job in submitted)
        answer = threads.submit(httpx.get, f"{url}/v1/comparisons", params={"explanations": ids}, timeout=60)
        wait_until(lambda: bool(drawing(process.pid)))
        (child,) = drawing(process.pid)
        os.kill(child, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert not alive(child)
        answer.exception(60)
