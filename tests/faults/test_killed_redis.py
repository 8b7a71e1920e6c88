"""Redis is killed and comes back.

Every change that a client was told of is in Redis's append-only file before it is told, so a restarted Redis knows all.
Meanwhile the API says 503 and when to ask again. Workers go on computing, keep their answers, and hand them in when
Redis is back. By then every lease has lapsed, and yet no job may be taken from a worker that lives: those who look for
lost jobs first give the living time to speak. So an outage costs nothing but time: no job is begun twice.
"""

from __future__ import annotations

import time

from tests.faults.conftest import Scale, StartTrial
from tests.faults.trial import Trial


def test_an_outage_costs_nothing_but_time(trial: StartTrial, scale: Scale) -> None:
    outages_s = (1.0, 5.0, 30.0) if scale.is_full else (1.0, 4.0)
    with trial("kill -9 of Redis") as running:
        for outage_s in outages_s:
            running.wait_until_busy()
            running.stack.redis.kill()
            time.sleep(outage_s)
            _assert_api_says_so(running)
            running.stack.redis.start()
            running.blows += 1
        running.wait_until_ended()
        assert [worker.ended for worker in running.stack.workers] == [None] * len(running.stack.workers)
        assert running.ledger.attempts() == len(running.ledger.entries)


def _assert_api_says_so(running: Trial) -> None:
    for path in ("/readyz", "/v1/models", f"/v1/explanations/{next(iter(running.ledger.entries))}"):
        answer = running.client.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json"), path
        assert int(answer.headers["Retry-After"]) > 0
    assert running.client.get("/livez").is_success
