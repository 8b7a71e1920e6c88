"""Following a job: what to do next, decided without doing it, so that both clients do the same."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx
from pydantic import ValidationError

from fixlip.client._events import Event, EventReader
from fixlip.client._operations import Look
from fixlip.client._retries import FIRST_PAUSE_S, LONGEST_PAUSE_S, jittered
from fixlip.client.models import Job

__all__ = ["QUIET_S", "Following"]

QUIET_S: Final = 40.0
"""A stream that says nothing for so long, not even that it lives, is taken for lost."""

_MEDIA_TYPE: Final = "text/event-stream"


class Following:
    """How far a job has been followed.

    It is followed by its events, and after a break from the last event on. Where there are none, which may be an older
    service's or a proxy's doing, the job is looked at now and then.

    Args:
        job: as it was last seen.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.is_polling = False
        self._pause_s = 0.0
        self._reader = EventReader()
        self._last_id = ""
        self._has_news = False
        self._breaks = 0

    @property
    def headers(self) -> dict[str, str]:
        """Those with which the events are asked for."""
        headers = {"Accept": _MEDIA_TYPE, "Cache-Control": "no-store"}
        return headers | ({"Last-Event-ID": self._last_id} if self._last_id else {})

    @property
    def pause_s(self) -> float:
        """How long to wait before the next step."""
        return 0.0 if self.job.is_final else self._pause_s

    def opened(self, response: httpx.Response) -> bool:
        """Note the beginning of an answer, and tell whether it is one of events."""
        is_stream = response.is_success and response.headers.get("content-type", "").startswith(_MEDIA_TYPE)
        self.is_polling = not is_stream
        self._reader = EventReader()
        self._has_news = False
        return is_stream

    def fed(self, chunk: bytes) -> list[Job]:
        """The states of the job that a part of the answer tells of."""
        states = []
        for event in self._reader.feed(chunk):
            self._last_id = event.id or self._last_id
            if (job := _state(self.job, event)) is not None:
                self._has_news, self.job = True, job
                states.append(job)
        return states

    def closed(self) -> None:
        """Note that the stream has ended or was lost; after two that told nothing there is no third."""
        self._breaks = 0 if self._has_news else self._breaks + 1
        self._has_news = False
        self.is_polling = self.is_polling or self._breaks > 1
        base_s = FIRST_PAUSE_S if self._reader.retry_s is None else self._reader.retry_s
        self._pause_s = 0.0 if self.is_polling else jittered(min(base_s, LONGEST_PAUSE_S))

    def polled(self, look: Look) -> list[Job]:
        """The states of the job that a look at it tells of."""
        is_news = look.job != self.job
        self.job, self._pause_s = look
        return [look.job] if is_news else []


def _state(job: Job, event: Event) -> Job | None:
    """The job after an event, or None where the event tells nothing of it."""
    try:
        data: Any = json.loads(event.data)
        if not isinstance(data, dict):
            return None
        return Job.model_validate(data if "id" in data else {**job.model_dump(), **_changes(event.name, data)})
    except (ValueError, ValidationError):
        return None


def _changes(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """What an event that has less than the whole job says of it."""
    if name == "start":
        return {"status": "running", "progress": {}, **data}
    return {"progress": data} if name == "progress" and "completed" in data else data
