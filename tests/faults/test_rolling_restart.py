"""Everything is replaced, part by part, as in an upgrade: each worker, the API, and Redis itself.

SIGTERM asks a worker to take no more jobs. It may finish what it runs within its grace, and hands the rest back, so
that no job waits until its lease lapses and none is blamed. Redis writes what it has and leaves. Clients see a 503 now
and then, and all of their jobs succeed.
"""

from __future__ import annotations

import time

from tests.faults.audit import blamed
from tests.faults.conftest import Scale, StartTrial


def test_an_upgrade_under_load(trial: StartTrial, scale: Scale) -> None:
    rounds = 3 if scale.is_full else 1
    grace = {"FIXLIP_GRACE_S": "1"}  # shorter than a job: most are handed back
    with trial("SIGTERM of everything, in turn", environment=grace) as running:
        stack = running.stack
        for _ in range(rounds):
            for worker in stack.workers:
                running.wait_until_busy(worker)
                worker.stop()
                worker.start()
                stack.wait_until_ready()
            stack.api.stop()
            stack.api.start()
            stack.wait_until_ready()
            stack.redis.stop()
            time.sleep(1.0)
            stack.redis.start()
            running.blows += 2
        with stack.client() as redis:
            assert not blamed(redis), "a worker that was asked to stop left its jobs behind"
