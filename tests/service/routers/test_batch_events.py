from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from fixlip.client._events import Event, EventReader
from service.backend import Backend
from tests.service.routers.test_batches import URL, created, item


def events(client: TestClient, url: str, last_id: str = "") -> list[Event]:
    """All that comes until the stream ends."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    response = client.get(url, headers=headers)
    assert response.status_code == 200, response.text
    return EventReader().feed(response.content)


def ended(client: TestClient, backend: Backend, finish: Callable[[str], object]) -> dict[str, Any]:
    batch = created(client.post(URL, json={"items": [item(), item(caption="a dog")]}))
    for row in backend.batches.rows(batch["id"], 0, 10):
        finish(row.job_id)
    return batch


def test_an_ended_batch_is_told_with_its_end(
    client: TestClient, backend: Backend, finish: Callable[[str], object]
) -> None:
    batch = ended(client, backend, finish)
    progress, completed = events(client, batch["urls"]["events"])

    assert (progress.name, progress.id) == ("progress", "0-0-2-0-0")
    assert json.loads(progress.data)["request_counts"]["completed"] == 2
    assert (completed.name, completed.id) == ("completed", "0-0-2-0-0-succeeded")
    assert json.loads(completed.data) == client.get(batch["urls"]["self"]).json()


def test_whoever_comes_back_is_told_what_is_new(
    client: TestClient, backend: Backend, finish: Callable[[str], object]
) -> None:
    url = ended(client, backend, finish)["urls"]["events"]

    assert [event.name for event in events(client, url, "0-0-2-0-0")] == ["completed"]
    assert [event.name for event in events(client, url, "0-1-0-0-0")] == ["progress", "completed"]
    assert [event.name for event in events(client, url, "nonsense")] == ["progress", "completed"]
    assert client.get(url, headers={"Last-Event-ID": "0-0-2-0-0-succeeded"}).status_code == 204


def test_a_stream_ends_with_the_batch(client: TestClient, backend: Backend) -> None:
    batch = created(client.post(URL, json={"items": [item()]}))
    with client.stream("GET", batch["urls"]["events"]) as response:
        chunks = response.iter_bytes()
        reader = EventReader()
        found: list[Event] = []
        while not found:
            found += reader.feed(next(chunks))
        backend.batches.cancel(batch["id"])
        for chunk in chunks:
            found += reader.feed(chunk)
    assert [(event.name, json.loads(event.data)["status"]) for event in found] == [
        ("progress", "queued"),
        ("progress", "canceled"),
        ("completed", "canceled"),
    ]


def test_a_stream_ends_when_the_batch_is_removed(client: TestClient, backend: Backend) -> None:
    batch = created(client.post(URL, json={"items": [item()]}))
    backend.batches.cancel(batch["id"])
    url = batch["urls"]["events"]
    assert len(events(client, url)) == 2
    backend.batches.delete(batch["id"])
    assert client.get(url).json()["code"] == "batch_not_found"
