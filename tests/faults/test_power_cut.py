"""Everything is killed at once, as when a host loses its power, and started again.

What was acknowledged is on the disk, so nothing is lost; what ran is begun again.
"""

from __future__ import annotations

import time

from tests.faults.conftest import Scale, StartTrial


def test_all_at_once(trial: StartTrial, scale: Scale) -> None:
    times = 3 if scale.is_full else 1
    with trial("kill -9 of everything at once") as running:
        stack = running.stack
        for _ in range(times):
            running.wait_until_busy()
            for worker in stack.workers:
                running.note_loss(worker)
            for part in stack.parts:
                part.kill()
            time.sleep(1.0)
            for part in stack.parts:
                part.start()
            stack.wait_until_ready()
    assert not running.ledger.open
