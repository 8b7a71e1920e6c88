"""A batch does not fit into the device's memory.

The batch is halved until it fits, and that is remembered. A job whose single row does not fit fails, with words that
say so. The jobs whose rows were in the same batch get their answers.
"""

from __future__ import annotations

from tests.faults.conftest import Scale, StartTrial
from tests.faults.orders import Order


def test_large_batches_are_halved_and_only_the_impossible_fails(trial: StartTrial, scale: Scale) -> None:
    times = 10 if scale.is_full else 2
    with trial("out of memory in a batch") as running:
        for seed in range(times):
            running.submit(Order("hungry red circle on green", seed))
            running.submit(Order("starving red circle", seed), ("failed", "out_of_memory"))
            running.blows += 2
        running.wait_until_ended()
        assert [worker.ended for worker in running.stack.workers] == [None] * len(running.stack.workers)
        assert running.ledger.attempts() == len(running.ledger.entries)
