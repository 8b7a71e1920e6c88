"""The API is killed, or asked to stop, and comes back.

It keeps nothing but what is in Redis and in the store, so jobs neither notice nor wait. A client whose connection is
refused may submit again; one whose connection broke before the answer came cannot know whether its job was taken, and
if it submits again there may be two: both run, and each ends once.
"""

from __future__ import annotations

import time

from tests.faults.conftest import Scale, StartTrial


def test_jobs_do_not_notice(trial: StartTrial, scale: Scale) -> None:
    blows, pause_s = (10, 5.0) if scale.is_full else (2, 1.0)
    with trial("restart of the API") as running:
        api = running.stack.api
        for blow in range(blows):
            time.sleep(pause_s)
            if blow % 2 == 0:
                api.kill()
            else:
                api.stop()
            time.sleep(0.5)
            api.start()
            running.blows += 1
        running.wait_until_ended()
        assert running.ledger.attempts() == len(running.ledger.entries)
