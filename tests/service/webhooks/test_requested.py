"""Webhooks from the request to the job's record, through the API."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

URL = "/v1/explanations"
HOOK = "https://hooks.example.com/fixlip?key=1"
CAPTION = "a red circle and a blue square"


def submit(client: TestClient, image_png: bytes, webhook: Any) -> Any:
    data = {"caption": CAPTION, "webhook": json.dumps(webhook)}
    return client.post(URL, files={"image": image_png}, data=data)


def test_a_job_says_who_will_be_told(client: TestClient, image_png: bytes) -> None:
    client.post("/v1/webhook-secrets")
    response = submit(client, image_png, {"url": HOOK})
    assert response.status_code == 202
    expected = {"url": HOOK, "state": "pending", "attempts": 0}
    assert response.json()["webhook"] == expected
    assert client.get(response.json()["urls"]["self"]).json()["webhook"] == expected


def test_nobody_is_told_unless_asked_for(client: TestClient, image_png: bytes) -> None:
    assert submit(client, image_png, None).json()["webhook"] is None


def test_a_webhook_needs_a_secret(
    client: TestClient, image_png: bytes, assert_nothing_left: Callable[[], None]
) -> None:
    response = submit(client, image_png, {"url": HOOK})
    assert (response.status_code, response.json()["code"]) == (422, "webhook_secret_missing")
    assert "POST /v1/webhook-secrets" in response.json()["detail"]
    assert [error["field"] for error in response.json()["errors"]] == ["webhook"]
    assert_nothing_left()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "http://hooks.example.com/",
        "https://hooks.example.com:8443/",
        "https://user:secret@hooks.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "https://hooks.example.com/" + "a" * 2048,
    ],
)
def test_a_url_that_will_never_be_called_is_refused_at_once(
    client: TestClient, image_png: bytes, url: str, assert_nothing_left: Callable[[], None]
) -> None:
    response = submit(client, image_png, {"url": url})
    assert (response.status_code, response.json()["code"]) == (422, "webhook_url_invalid")
    assert [error["field"] for error in response.json()["errors"]] == ["webhook.url"]
    assert_nothing_left()


@pytest.mark.parametrize("webhook", [{}, {"url": 5}, {"url": HOOK, "events": []}, "https://x.example/", [], 5])
def test_a_webhook_of_another_form_is_refused(client: TestClient, image_png: bytes, webhook: Any) -> None:
    response = submit(client, image_png, webhook)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert all(error["field"].startswith("webhook") for error in response.json()["errors"])


def test_a_webhook_that_is_no_json_is_refused(client: TestClient, image_png: bytes) -> None:
    data = {"caption": CAPTION, "webhook": HOOK}
    response = client.post(URL, files={"image": image_png}, data=data)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


def test_a_batch_says_who_will_be_told(client: TestClient, image_png: bytes) -> None:
    client.post("/v1/webhook-secrets")
    item = {"image": base64.b64encode(image_png).decode(), "caption": CAPTION}
    response = client.post("/v1/batches", json={"items": [item], "webhook": {"url": HOOK}})
    assert response.status_code == 202
    assert response.json()["webhook"] == {"url": HOOK, "state": "pending", "attempts": 0}


def test_a_batch_that_nobody_could_sign_for_is_refused(client: TestClient, image_png: bytes) -> None:
    fields = {"webhook": json.dumps({"url": HOOK})}
    manifest = ("manifest.json", json.dumps({"items": [{"image": "a.png", "caption": CAPTION}]}))
    response = client.post("/v1/batches", data=fields, files={"manifest": manifest})
    assert (response.status_code, response.json()["code"]) == (422, "webhook_secret_missing")
    assert client.get("/v1/batches").json()["items"] == []
