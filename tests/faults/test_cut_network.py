"""A worker loses its network, and it comes back.

There are three ways to lose it. Connections *break*, and new ones are refused: the worker knows at once. Packets vanish
in a *black hole*: the worker notices when its time-outs pass, and what it sent before may arrive much later, when its
jobs have long been done elsewhere. Or the network is *slow*, and all is well though late. A worker that was away for
longer than three heartbeats has lost its jobs to others, and whatever it writes of them then is refused: its lease is
of an earlier attempt.
"""

from __future__ import annotations

import time
from typing import Final

import pytest

from tests.faults.conftest import Scale, StartTrial
from tests.faults.proxy import Proxy

SLOW_S: Final = 0.2
WAYS: Final = {"break": Proxy.cut, "black hole": Proxy.hold}


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_without_network_loses_its_jobs(trial: StartTrial, scale: Scale, way: str) -> None:
    times = 4 if scale.is_full else 1
    with trial(f"network of a worker: {way}", behind_proxy=True) as running:
        stack = running.stack
        for i in range(times):
            worker, proxy = stack.workers[i % 2], stack.proxies[i % 2]
            running.wait_until_busy(worker)
            running.note_loss(worker)
            WAYS[way](proxy)
            time.sleep(2 * stack.liveness_s)
            proxy.heal()
        running.wait_until_ended()
        assert [worker.ended for worker in stack.workers] == [None, None]
    assert running.longest_gap_s is not None, "no job was taken from a worker that could not be heard"


def test_a_worker_with_a_slow_network_keeps_its_jobs(trial: StartTrial) -> None:
    with trial("network of a worker: slow", behind_proxy=True) as running:
        running.stack.proxies[0].slow(SLOW_S)
        running.blows += 1
        running.wait_until_ended()
        assert running.ledger.attempts() == len(running.ledger.entries)
