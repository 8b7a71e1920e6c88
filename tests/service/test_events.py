from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from service.events import NOTHING_SEEN, Seen, completed, news
from service.jobs.records import JobStatus
from service.jobs.standings import Standing

QUEUED = Standing(JobStatus.QUEUED, 0, 0, 0)
BEGUN = Standing(JobStatus.RUNNING, 1, 0, 0)
PLANNED = Standing(JobStatus.RUNNING, 1, 0, 10)
HALF_WAY = Standing(JobStatus.RUNNING, 1, 5, 10)
HANDED_BACK = Standing(JobStatus.QUEUED, 1, 0, 0)
BEGUN_AGAIN = Standing(JobStatus.RUNNING, 2, 0, 0)
SUCCEEDED = Standing(JobStatus.SUCCEEDED, 2, 10, 10)

START_1, START_2 = ("start", "1", {"attempt": 1}), ("start", "2", {"attempt": 2})


Told = tuple[str | None, str | None, object]


def progress(event_id: str, done: int) -> tuple[str, str, object]:
    return ("progress", event_id, {"completed": done, "total": 10, "unit": "forward_passes"})


def told(
    standings: Sequence[Standing], last_event_id: str | None = None
) -> list[tuple[str | None, str | None, object]]:
    """The events of a client that connects with this id and sees the job go through these standings."""
    seen, told = Seen.of(last_event_id), []
    for standing in standings:
        events, seen = news(seen, standing)
        told += [(event.event, event.id, json.loads(str(event.data))) for event in events]
    return told


def test_a_job_that_is_watched_from_the_beginning() -> None:
    assert told([QUEUED, QUEUED]) == []
    assert told([QUEUED, BEGUN, PLANNED, HALF_WAY]) == [START_1, progress("1-0-10", 0), progress("1-5-10", 5)]


def test_what_has_not_changed_is_not_told_again() -> None:
    assert told([HALF_WAY, HALF_WAY]) == [START_1, progress("1-5-10", 5)]


def test_an_attempt_that_is_repeated_starts_again() -> None:
    assert told([HALF_WAY, HANDED_BACK, BEGUN_AGAIN]) == [START_1, progress("1-5-10", 5), START_2]
    assert told([HANDED_BACK]) == []


@pytest.mark.parametrize(
    ("last_event_id", "standing", "expected"),
    [
        (None, SUCCEEDED, [START_2, progress("2-10-10", 10)]),
        ("", HALF_WAY, [START_1, progress("1-5-10", 5)]),
        ("1", BEGUN, []),
        ("1", HALF_WAY, [progress("1-5-10", 5)]),
        ("1-5-10", HALF_WAY, []),
        ("1-4-10", HALF_WAY, [progress("1-5-10", 5)]),
        ("1-5-10", BEGUN_AGAIN, [START_2]),
        ("1-5-10", SUCCEEDED, [START_2, progress("2-10-10", 10)]),
        ("2-10-10", SUCCEEDED, []),
    ],
)
def test_a_client_that_comes_back_is_told_what_it_has_not_seen(
    last_event_id: str | None, standing: Standing, expected: list[object]
) -> None:
    assert told([standing], last_event_id) == expected


@pytest.mark.parametrize("foreign", ["x", "-1", "1-2", "1-2-3-", "1-2-3-4", "1 ", "9" * 40, "\u0661", "1\n"])
def test_ids_of_others_count_for_nothing(foreign: str) -> None:
    assert Seen.of(foreign) == NOTHING_SEEN


def test_the_end_brings_the_job_and_is_known_by_its_id() -> None:
    event = completed(SUCCEEDED, b'{"id": "7"}')

    assert (event.event, event.id, event.data) == ("completed", "2-10-10-succeeded", '{"id": "7"}')
    assert Seen.of(event.id) == Seen(2, 10, 10, is_over=True)
