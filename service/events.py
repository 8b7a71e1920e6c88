"""What a job's changes are called, as server-sent events that a client can take up again where it lost them.

The id of an event says how the job stood as far as the client knows once it has that event: ``2`` (begun for the second
time), ``2-128-514`` (128 of 514 passes done), ``2-514-514-succeeded``. So whoever has the record can tell what a client
that comes back has not seen yet; nothing is kept for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pydantic_core import to_json
from sse_starlette import ServerSentEvent

from service.jobs.records import JobProgress, JobStatus
from service.jobs.standings import Standing

__all__ = ["NOTHING_SEEN", "Seen", "completed", "news"]

_ID: Final = re.compile(r"(\d{1,9})(?:-(\d{1,12})-(\d{1,12})(-[a-z]+)?)?", re.ASCII)
_SEP: Final = "\n"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client knows of a job.

    Attributes:
        attempt: the last beginning that it was told of.
        completed: passes done, of that attempt.
        total: passes planned.
        is_over: whether it was told of the end.
    """

    attempt: int = 0
    completed: int = 0
    total: int = 0
    is_over: bool = False

    @classmethod
    def of(cls, event_id: str | None) -> Seen:
        """What a client knows whose last event has this id; nothing, where it is none of ours."""
        found = _ID.fullmatch(event_id or "")
        if found is None:
            return NOTHING_SEEN
        attempt, completed, total, end = found.groups()
        return cls(int(attempt), int(completed or 0), int(total or 0), end is not None)


NOTHING_SEEN: Final = Seen()


def news(seen: Seen, standing: Standing) -> tuple[list[ServerSentEvent], Seen]:
    """What a client is to be told of a job that stands so, but for its end; and what it knows then."""
    events = []
    if standing.attempt > seen.attempt and standing.status is not JobStatus.QUEUED:
        seen = Seen(standing.attempt)
        events.append(_event("start", to_json({"attempt": standing.attempt}), standing.attempt))
    passes = (standing.completed, standing.total)
    if standing.attempt == seen.attempt and passes not in ((seen.completed, seen.total), (0, 0)):
        seen = Seen(standing.attempt, *passes)
        progress = JobProgress(completed=standing.completed, total=standing.total)
        events.append(_event("progress", to_json(progress), standing.attempt, *passes))
    return events, seen


def completed(standing: Standing, job_json: bytes) -> ServerSentEvent:
    """The event of the job's end, whichever way it ended."""
    known = (standing.attempt, standing.completed, standing.total, standing.status)
    return _event("completed", job_json, *known)


def _event(name: str, data: bytes, *known: object) -> ServerSentEvent:
    return ServerSentEvent(data.decode(), event=name, id="-".join(map(str, known)), sep=_SEP)
