"""From a request with an image's URL to the message at the receiver: API, worker and deliverer are processes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.support.delivering import delivering
from tests.support.fake_worker import fake_worker
from tests.support.jobs import png
from tests.support.processes import serving, wait_until
from tests.support.receiver import Received, Receiver, answer

pytestmark = pytest.mark.slow

LOCAL = {"FIXLIP_IMAGE_HOSTS": "127.0.0.1", "FIXLIP_OUTBOUND_ALLOW": "127.0.0.1"}


@pytest.fixture(scope="module")
def internet() -> Iterator[Receiver]:
    """Has an image, and takes messages."""

    def reply(handler: BaseHTTPRequestHandler, received: Received) -> None:
        answer(handler, 200, png() if received.method == "GET" else b"")

    with Receiver(reply) as receiver:
        yield receiver


def submit(client: httpx.Client, internet: Receiver, **more: Any) -> dict[str, Any]:
    body = {
        "image_url": internet.url("/scene.png"),
        "caption": "a red circle",
        "params": {"budget": 64},
        "webhook": {"url": internet.url("/hook")},
    }
    response = client.post("/v1/explanations", json={**body, **more})
    assert response.is_success, response.text
    job: dict[str, Any] = response.json()
    return job


def submit_batch(client: httpx.Client, internet: Receiver) -> dict[str, Any]:
    item = {"image_url": internet.url("/scene.png"), "caption": "a red circle", "params": {"budget": 64}}
    response = client.post("/v1/batches", json={"items": [item], "webhook": {"url": internet.url("/hook")}})
    assert response.is_success, response.text
    batch: dict[str, Any] = response.json()
    return batch


def message_about(job: dict[str, Any], internet: Receiver) -> Received:
    def found() -> list[Received]:
        posted = [received for received in internet.received if received.method == "POST"]
        return [received for received in posted if json.loads(received.body)["data"]["id"] == job["id"]]

    wait_until(lambda: bool(found()))
    (message,) = found()
    return message


def test_whoever_asked_to_be_told_is_told(redis_url: str, tmp_path: Path, internet: Receiver) -> None:
    with (
        serving(redis_url, tmp_path, **LOCAL) as url,
        delivering(redis_url),
        httpx.Client(base_url=url) as client,
    ):
        secret = client.post("/v1/webhook-secrets").json()["secret"]
        with fake_worker(redis_url, tmp_path):
            wait_until(lambda: bool(client.get("/v1/models").json()["items"]))
            done = submit(client, internet)
            messages = [message_about(done, internet)]
            batch = submit_batch(client, internet)
            messages.append(message_about(batch, internet))
        canceled = submit(client, internet, caption="another caption")
        client.post(canceled["urls"]["cancel"]).raise_for_status()
        cached = submit(client, internet)
        messages += [message_about(job, internet) for job in (canceled, cached)]
        verified = [Webhook(secret).verify(message.body, dict(message.headers)) for message in messages]
        types = [message["type"] for message in verified]
        assert types == ["explanation.succeeded", "batch.succeeded", "explanation.canceled", "explanation.succeeded"]
        assert [message["data"].get("cached") for message in verified] == [False, None, False, True]
        assert done["input"]["image_sha256"] == hashlib.sha256(png()).hexdigest()

        def is_told(job: dict[str, Any]) -> bool:
            webhook: dict[str, Any] = client.get(job["urls"]["self"]).json()["webhook"]
            return webhook == {"url": internet.url("/hook"), "state": "delivered", "attempts": 1}

        for job in (done, canceled, cached, batch):
            wait_until(lambda job=job: is_told(job))  # type: ignore[misc]  # of each job in turn
