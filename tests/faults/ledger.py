"""What was promised, what was seen of it, and whether the two agree."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tests.faults.orders import Order

__all__ = ["Entry", "Ledger", "Loss", "Outcome", "Sighting"]

FINAL: Final = frozenset({"succeeded", "failed", "canceled", "expired"})
SLICE: Final = 4
POISON_LOSSES: Final = 3
"""A job that lost its worker once, and then two more while it ran alone, may be given up; none that lost fewer."""

Outcome = tuple[str, str | None]
"""A final status, and the error's code where it failed."""
SUCCESS: Final[Outcome] = ("succeeded", None)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A job as a client saw it; instants are in seconds since the epoch."""

    status: str
    code: str | None
    started_at: float | None
    completed_at: float | None
    attempts: int

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Sighting:
        """What the API's answer says."""
        return cls(
            status=job["status"],
            code=job["error"] and job["error"]["code"],
            started_at=_instant(job["started_at"]),
            completed_at=_instant(job["completed_at"]),
            attempts=job["attempt"],
        )

    @property
    def is_final(self) -> bool:
        """Whether the job may never be seen otherwise again."""
        return self.status in FINAL


@dataclass(slots=True)
class Entry:
    """An acknowledged job.

    Attributes:
        job_id: its id.
        order: what was asked.
        outcome: how it is to end.
        last: how it was seen last.
        starts: instants at which its attempts were seen to begin.
    """

    job_id: str
    order: Order
    outcome: Outcome
    last: Sighting | None = None
    starts: set[float] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether it has not been seen to end."""
        return self.last is None or not self.last.is_final


@dataclass(frozen=True, slots=True)
class Loss:
    """A worker that was taken away, and the jobs that it ran."""

    at: float
    victims: frozenset[str]


class Ledger:
    """Every job that was acknowledged with 202, and all that was ever seen of it; for several threads.

    Attributes:
        entries: acknowledged jobs by id.
        losses: workers that were taken away.
        changed: sentences about jobs that were final and changed.
        denied: sentences about answers that no client may get.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.losses: list[Loss] = []
        self.changed: list[str] = []
        self.denied: list[str] = []
        self._lock = threading.Lock()
        self._turns = itertools.count()

    def promise(self, job_id: str, order: Order, outcome: Outcome = SUCCESS) -> None:
        """A job was acknowledged."""
        with self._lock:
            self.entries[job_id] = Entry(job_id, order, outcome)

    def see(self, job_id: str, seen: Sighting) -> bool:
        """A client looked at a job; whether it saw for the first time that the job has succeeded."""
        with self._lock:
            entry = self.entries[job_id]
            is_news = seen.status == "succeeded" and entry.is_open
            if entry.last is not None and entry.last.is_final and entry.last != seen:
                self.changed.append(f"{job_id} was final and changed: {entry.last} became {seen}")
            entry.last = seen
            if seen.started_at is not None:
                entry.starts.add(seen.started_at)
            return is_news

    def deny(self, what: str) -> None:
        """A client was told something that it may not be told."""
        with self._lock:
            self.denied.append(what)

    def worth_a_look(self) -> list[str]:
        """All open jobs, and by turns a few of the others, which may not change."""
        with self._lock:
            hot = [entry.job_id for entry in self.entries.values() if entry.is_open]
            cold = [entry.job_id for entry in self.entries.values() if not entry.is_open]
        first = next(self._turns) * SLICE
        return hot + [cold[i % len(cold)] for i in range(first, first + min(SLICE, len(cold)))]

    @property
    def open(self) -> set[str]:
        """Ids of the jobs that have not been seen to end."""
        with self._lock:
            return {entry.job_id for entry in self.entries.values() if entry.is_open}

    def gaps_s(self) -> Iterator[float]:
        """Seconds from each loss of a worker to the next start of each job that it ran."""
        for loss in self.losses:
            for job_id in loss.victims & self.entries.keys():
                later = [start - loss.at for start in self.entries[job_id].starts if start > loss.at]
                if later:
                    yield min(later)

    def attempts(self) -> int:
        """How often a job was begun, in all."""
        return sum(entry.last.attempts for entry in self.entries.values() if entry.last is not None)

    def is_as_promised(self, entry: Entry) -> bool:
        """Whether a job ended as it was to end; one that lost its worker often enough may be given up."""
        assert entry.last is not None
        outcome = entry.last.status, entry.last.code
        losses = sum(entry.job_id in loss.victims for loss in self.losses)
        return outcome == entry.outcome or (outcome == ("failed", "worker_lost") and losses >= POISON_LOSSES)


def _instant(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
