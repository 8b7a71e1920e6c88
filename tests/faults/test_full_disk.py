"""The disk of the artifact store is full, and after a while it is not.

A job that cannot be stored is not accepted: 503, and nothing of it is left. A job that cannot store its answer is not
to blame: it is tried again later and later, and ends well once there is room. No half-written draft stays behind.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from service.jobs.repository import JobRepository
from tests.faults.clients import RefusedError
from tests.faults.conftest import Scale, StartTrial
from tests.faults.disks import LimitedFiles, small_disk
from tests.faults.orders import Order
from tests.support.processes import wait_until

NEVER_STORED = 1_000_000
"""Seed of a picture that no other order has: one that is in the store already needs no room."""


def test_jobs_wait_for_room(trial: StartTrial, scale: Scale, tmp_path: Path) -> None:
    outages_s = (5.0, 20.0, 40.0) if scale.is_full else (0.0,)
    with small_disk(tmp_path / "disk") as mounted, trial("full disk in the store", data=tmp_path / "disk") as running:
        stack = running.stack
        disk = mounted or LimitedFiles(lambda: [part.pid for part in (stack.api, *stack.workers)])
        for outage_s in outages_s:
            running.wait_until_busy()
            disk.fill()
            with stack.client() as redis:
                repository = JobRepository(redis)
                wait_until(lambda: repository.queue_state().delayed > 0, within_s=60)  # noqa: B023  # it is called at once
            with pytest.raises(RefusedError, match="storage_unavailable"):
                running.submit(Order(seed=NEVER_STORED))
            assert running.client.get("/readyz").status_code == 503
            time.sleep(outage_s)
            disk.free()
            running.blows += 1
