"""A trial: the service is put under load, harm is done to it, and nothing may be lost, doubled or stuck."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from service.jobs.storage.objects import Objects
from tests.faults.audit import jobs_of, leftovers, unpromised
from tests.faults.clients import Client, Load, Watch
from tests.faults.ledger import FINAL, SUCCESS, Ledger, Loss, Outcome
from tests.faults.orders import Order
from tests.faults.parts import Part
from tests.faults.stack import Stack
from tests.support.processes import wait_until

__all__ = ["Row", "Trial"]

ACKNOWLEDGED_WITHIN_S: Final = 240.0
STALLED_AFTER_S: Final = 60.0
PATIENCE_S: Final = 60.0
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Row:
    """A trial in figures.

    Attributes:
        fault: what was done.
        jobs: how many were acknowledged.
        blows: how often it was done.
        attempts: how often a job was begun, in all.
        lost: jobs that ended as they may not, and answers that no client may get, such as 404 for a job that was taken.
        doubled: jobs that were final and changed.
        stuck: jobs that did not end.
        unpromised: jobs that exist though no client was told so, because the answer was lost; they have ended too.
        longest_gap_s: longest time from the loss of a worker to the next start of one of its jobs, None without one.
    """

    fault: str
    jobs: int
    blows: int
    attempts: int
    lost: int
    doubled: int
    stuck: int
    unpromised: int
    longest_gap_s: float | None


class Trial:
    """A stack under load, and its books.

    Entering it starts the load; leaving it waits for the end of every job and audits the books.

    Args:
        fault: what will be done, in a few words.
        stack: the service, running.
        jobs: how many jobs are submitted at least.
        in_flight: how many are open at a time.
        rows: where the trial is entered when it has ended well or badly.
    """

    def __init__(self, fault: str, stack: Stack, *, jobs: int, in_flight: int, rows: list[Row]) -> None:
        self.fault = fault
        self.stack = stack
        self.blows = 0
        self.ledger = Ledger()
        self.client = Client(stack.url, self.ledger)
        self._load = Load(self.client, self.ledger, jobs=jobs, in_flight=in_flight)
        self._watch = Watch(Client(stack.url, self.ledger), self.ledger)
        self._rows = rows

    def __enter__(self) -> Trial:
        self._load.start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._load.stop()
            self._watch.stop()

    def submit(self, order: Order, outcome: Outcome = SUCCESS) -> str:
        """Submit one job more, which is to end like this; its id."""
        return self.client.submit(order, outcome)

    def kill(self, worker: Part) -> None:
        """SIGKILL a worker and note what it was doing."""
        self.note_loss(worker)
        worker.kill()

    def note_loss(self, worker: Part) -> frozenset[str]:
        """Note that a worker will be taken away now, and its jobs with it; their ids."""
        victims = frozenset(self.running_on(worker))
        self.ledger.losses.append(Loss(time.time(), victims))
        self.blows += 1
        return victims

    def running_on(self, worker: Part) -> set[str]:
        """Ids of the jobs that a worker runs."""
        with self.stack.client() as redis:
            return jobs_of(redis, worker)

    def wait_until_busy(self, *workers: Part) -> None:
        """Until each of these workers, or else of all, runs a job."""
        for worker in workers or self.stack.workers:
            wait_until(functools.partial(self._is_busy, worker), within_s=PATIENCE_S)

    def wait_until_ended(self, job_ids: frozenset[str] | None = None) -> None:
        """Until these jobs have been seen to end, or all, and no more are submitted; for as long as any job ends."""
        if job_ids is None:
            self._load.finish(ACKNOWLEDGED_WITHIN_S)
        fewest, since = len(self.ledger.entries), time.monotonic()
        while left := self.ledger.open:
            if job_ids is not None and not job_ids & left:
                return
            if len(left) < fewest:
                fewest, since = len(left), time.monotonic()
            if time.monotonic() - since > STALLED_AFTER_S:
                return
            time.sleep(POLL_S)

    @property
    def longest_gap_s(self) -> float | None:
        """Longest time from the loss of a worker until a job that it ran runs again."""
        return max(self.ledger.gaps_s(), default=None)

    def _is_busy(self, worker: Part) -> bool:
        return bool(self.running_on(worker))

    def _finish(self) -> None:
        """Wait for every end, look at everything once more, and compare."""
        self.wait_until_ended()
        stuck = self.ledger.open
        self._watch.stop()
        for job_id in self.ledger.entries:
            self.client.look(job_id)
        wrong = [*self.ledger.denied, *self._wrong_ends(stuck), *self._wrong_answers()]
        self._rows.append(
            Row(
                fault=self.fault,
                jobs=len(self.ledger.entries),
                blows=self.blows,
                attempts=self.ledger.attempts(),
                lost=len(wrong),
                doubled=len(self.ledger.changed),
                stuck=len(stuck),
                unpromised=self._unpromised(),
                longest_gap_s=self.longest_gap_s,
            )
        )
        assert not stuck, f"these jobs never ended: {stuck}"
        assert not wrong, "\n".join(wrong)
        assert not self.ledger.changed, "\n".join(self.ledger.changed)
        self._assert_tidy()

    def _wrong_ends(self, stuck: set[str]) -> list[str]:
        ended = (entry for entry in self.ledger.entries.values() if entry.job_id not in stuck)
        return [
            f"{entry.job_id} ended as {entry.last}, not as {entry.outcome}"
            for entry in ended
            if not self.ledger.is_as_promised(entry)
        ]

    def _wrong_answers(self) -> list[str]:
        succeeded = [e for e in self.ledger.entries.values() if e.last is not None and e.last.status == "succeeded"]
        return [
            f"{entry.job_id} has a wrong answer"
            for entry in succeeded
            if self.client.tensor(entry.job_id) != entry.order.answer
        ]

    def _unpromised(self) -> int:
        """Number of jobs that no client knows of; they must end like all others."""
        with self.stack.client() as redis:
            wait_until(
                lambda: not set(unpromised(redis, set(self.ledger.entries)).values()) - FINAL, within_s=PATIENCE_S
            )
            return len(unpromised(redis, set(self.ledger.entries)))

    def _assert_tidy(self) -> None:
        """Nothing is left of jobs that have ended, once the last sweep has been."""
        if any(part.was_killed for part in self.stack.parts):
            # Who is killed while it writes leaves a draft, which the housekeeping takes when it is an hour old.
            Objects(self.stack.data).delete_drafts(older_than_s=0)
        with self.stack.client() as redis:
            try:
                wait_until(lambda: not leftovers(redis, self.stack.data), within_s=PATIENCE_S)
            except AssertionError:
                raise AssertionError(f"left behind: {leftovers(redis, self.stack.data)}") from None
