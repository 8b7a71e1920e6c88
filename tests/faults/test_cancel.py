"""A client wants no answer any more, wherever its job is just then.

A job that waits is canceled at once. One that runs hears of it between two batches. One whose worker is deep inside a
solver cannot hear anything for seconds; its client does not wait for that, since another thread of the worker ends the
job on the record, and the answer that comes too late is dropped. The jobs beside it do not notice.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from tests.faults.conftest import Scale, StartTrial
from tests.faults.ledger import FINAL, Outcome
from tests.faults.orders import Order
from tests.faults.trial import Trial
from tests.faults.worker import LARGE
from tests.support.processes import wait_until

CANCELED_WITHIN_S: Final = 2.0
CANCELED: Final[Outcome] = ("canceled", None)


def _is_in_the_queue(job: Mapping[str, Any]) -> bool:
    return bool(job["status"] == "queued")


def _is_in_a_batch(job: Mapping[str, Any]) -> bool:
    return bool(job["status"] == "running" and 0 < job["progress"]["completed"] < job["progress"]["total"])


def _is_in_a_solve(job: Mapping[str, Any]) -> bool:
    return bool(job["status"] == "running" and 0 < job["progress"]["completed"] == job["progress"]["total"])


PLACES: Final[Mapping[Order, Callable[[Mapping[str, Any]], bool]]] = {
    Order(budget=8192, seed=1): _is_in_the_queue,
    Order(budget=8192, seed=2): _is_in_a_batch,
    Order(budget=512, order=2, model=LARGE.id): _is_in_a_solve,
}
"""Jobs that take long, and where each is when its client loses interest."""


def test_cancel_wherever_the_job_is(trial: StartTrial, scale: Scale) -> None:
    with trial("cancel, wherever the job is", workers=1) as running:
        running.wait_until_busy()
        for _, (order, is_there) in itertools.product(range(5 if scale.is_full else 1), PLACES.items()):
            job_id = running.submit(order, CANCELED)
            wait_until(lambda: is_there(_job(running, job_id)), within_s=120)  # noqa: B023  # it is called at once
            _cancel(running, job_id)
            running.blows += 1


def _cancel(running: Trial, job_id: str) -> None:
    assert running.client.cancel(job_id).status_code == 202
    wait_until(lambda: _job(running, job_id)["status"] in FINAL)
    job = _job(running, job_id)
    asked, ended = (datetime.fromisoformat(job[name]) for name in ("cancel_requested_at", "completed_at"))
    assert job["status"] == "canceled"
    assert (ended - asked).total_seconds() < CANCELED_WITHIN_S
    refusal = running.client.cancel(job_id)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "job_final")


def _job(running: Trial, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = running.client.get(f"/v1/explanations/{job_id}").raise_for_status().json()
    return job
