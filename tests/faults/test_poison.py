"""A job kills every worker that runs it.

Nobody can tell at first which of a dead worker's jobs it was. So all of them are suspects, and a suspect is run alone:
the innocent ones succeed, and the one that takes a second worker with it while nothing else runs there is given up. Its
client reads `worker_lost`; the service lives.
"""

from __future__ import annotations

import time
from typing import Final

from tests.faults.conftest import Scale, StartTrial
from tests.faults.orders import Order

DEATHS: Final = 3
"""Of workers by one job: the first beside others, two more alone."""


def test_poison_fails_and_the_innocent_succeed(trial: StartTrial, scale: Scale) -> None:
    poisons = 4 if scale.is_full else 1
    with trial("a job that kills its worker") as running:
        poison = {running.submit(Order("this dies", seed), ("failed", "worker_lost")) for seed in range(poisons)}
        while poison & running.ledger.open:
            for worker in running.stack.workers:
                if worker.ended is not None:
                    worker.start()
                    running.blows += 1
            time.sleep(0.1)
    assert poisons * 2 <= running.blows <= poisons * DEATHS
