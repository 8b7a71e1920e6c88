"""A worker is killed in the middle of a batch.

The kernel's out-of-memory killer, an evicted pod, a host that loses its power: the worker has no time for a last word,
and its jobs stand as running under leases that nobody renews. Three heartbeats later they count as lost, and whichever
worker looks first puts them at the front of the queue. Clients see them run, wait once more, and end like all others.
"""

from __future__ import annotations

import itertools
import time
from typing import Final

from tests.faults.conftest import Scale, StartTrial

RUNS_AGAIN_WITHIN_S: Final = 20.0
"""The promise, for the default heartbeat."""


def test_jobs_of_killed_workers_run_again_soon(trial: StartTrial, scale: Scale) -> None:
    kills, pause_s = (12, 10.0) if scale.is_full else (1, 0.0)
    with trial("kill -9 of a worker, mid-batch", workers=3 if scale.is_full else 2) as running:
        for worker in itertools.islice(itertools.cycle(running.stack.workers), kills):
            time.sleep(pause_s)
            running.wait_until_busy(worker)
            running.kill(worker)
            worker.start()  # as its supervisor does
    assert running.longest_gap_s is not None, "no worker was killed while it ran a job"
    assert running.longest_gap_s < RUNS_AGAIN_WITHIN_S
