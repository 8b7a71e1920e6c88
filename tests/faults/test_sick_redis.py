"""Redis is there, and is of no use: its memory is full, or it answers late.

A full Redis reads and does not write: what is not accepted is refused with 503, and what runs is finished and handed in
later. A Redis that does not answer for a while is like none: the API does not make its clients wait for it. Neither
costs a job, nor a second attempt at one.
"""

from __future__ import annotations

import time
from typing import Final

import pytest

from tests.faults.clients import RefusedError
from tests.faults.conftest import Scale, StartTrial
from tests.faults.orders import Order

ANSWERED_WITHIN_S: Final = 6.0
"""The API's own patience with Redis is 2 s; the rest is this machine's."""


def test_full_memory(trial: StartTrial, scale: Scale) -> None:
    outages_s = (5.0, 30.0) if scale.is_full else (5.0,)
    with trial("full memory of Redis") as running, running.stack.client() as redis:
        for outage_s in outages_s:
            running.wait_until_busy()
            redis.config_set("maxmemory", 1)
            time.sleep(outage_s)
            with pytest.raises(RefusedError, match="redis_unavailable"):
                running.submit(Order())
            redis.config_set("maxmemory", 0)
            running.blows += 1
        running.wait_until_ended()
        assert running.ledger.attempts() == len(running.ledger.entries)


def test_late_answers(trial: StartTrial, scale: Scale) -> None:
    pauses_s = (3.0, 10.0, 30.0) if scale.is_full else (4.0,)
    with trial("Redis answers late") as running, running.stack.client() as redis:
        for pause_s in pauses_s:
            running.wait_until_busy()
            redis.client_pause(int(1000 * pause_s))
            began = time.monotonic()
            assert running.client.get("/readyz").status_code == 503
            assert time.monotonic() - began < ANSWERED_WITHIN_S
            time.sleep(max(0.0, began + pause_s - time.monotonic()))
            running.blows += 1
        running.wait_until_ended()
        assert running.ledger.attempts() == len(running.ledger.entries)
