from __future__ import annotations

import pytest

from fixlip.client._events import Event, EventReader

STREAM = (
    b": a comment\r\n"
    b"retry: 250\r\n\r\n"
    b"id: 1\nevent: start\ndata: {}\n\n"
    b"data:first\rdata: second\r\r"
    b"id\nevent: progress\ndata: caf\xc3\xa9\xe2\x80\xa8\xc2\x85 \x0b\n\n"
    b"event: without data\n\n"
    b"unknown: field\nid: no\0id\nretry: soon\ndata\n\n"
    b"data: never ended\n"
)
EVENTS = [
    Event("start", "{}", "1"),
    Event("message", "first\nsecond", "1"),
    Event("progress", "caf\N{LATIN SMALL LETTER E WITH ACUTE}\u2028\x85 \x0b", ""),
    Event("message", "", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_events_whose_bytes_come_in_parts(size: int) -> None:
    reader = EventReader()
    events = [event for start in range(0, len(STREAM), size) for event in reader.feed(STREAM[start : start + size])]
    assert events == EVENTS
    assert reader.retry_s == 0.25
