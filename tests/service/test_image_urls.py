"""Images that the API fetches, from a web server of the test's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.backend import Backend
from service.settings import ServiceSettings
from tests.support.receiver import Received, Receiver, answer

URL = "/v1/explanations"
CAPTION = "a red circle and a blue square"


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    """This machine may be asked for images."""
    changes = {
        "image_hosts": ("127.0.0.1", "127.0.0.2"),
        "outbound_allow": ("127.0.0.1",),
        "image_url_timeout_s": 1.0,
        "max_image_bytes": 100_000,
    }
    return settings.model_copy(update=changes)


@pytest.fixture
def images(image_png: bytes) -> Iterator[Receiver]:
    def reply(handler: BaseHTTPRequestHandler, received: Received) -> None:
        if received.path == "/scene.png":
            answer(handler, 200, image_png, Content_Type="image/png")
        elif received.path == "/moved":
            answer(handler, 302, Location="/scene.png")
        elif received.path == "/page":
            answer(handler, 200, b"<html>", Content_Type="image/png")
        elif received.path == "/huge":
            answer(handler, 200, b"\x89PNG" + bytes(200_000))
        else:
            answer(handler, 404)

    with Receiver(reply) as images:
        yield images


def submit(client: TestClient, url: str, **more: Any) -> Any:
    return client.post(URL, json={"image_url": url, "caption": CAPTION, **more})


@pytest.mark.parametrize("path", ["/scene.png", "/moved"])
def test_an_image_is_fetched_and_explained_like_any(
    path: str, client: TestClient, images: Receiver, image_png: bytes
) -> None:
    response = submit(client, images.url(path))
    assert response.status_code == 202, response.text
    assert response.json()["input"] == {"image_sha256": hashlib.sha256(image_png).hexdigest(), "caption": CAPTION}


def test_a_form_may_have_it_too(client: TestClient, images: Receiver) -> None:
    data = {"image_url": images.url("/scene.png"), "caption": CAPTION}
    response = client.post(URL, files={"metadata": (None, "{}")}, data=data)
    assert response.status_code == 202, response.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nothing", 422, "image_url_unreachable"),
        ("/huge", 413, "image_too_large"),
        ("/page", 415, "image_undecodable"),
    ],
)
def test_what_cannot_be_used_is_refused(
    path: str, status: int, code: str, client: TestClient, images: Receiver, assert_nothing_left: Callable[[], None]
) -> None:
    response = submit(client, images.url(path))
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert [error["field"] for error in response.json()["errors"]] == ["image_url"]
    assert_nothing_left()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://images.example.com/x.png", "image_host_not_allowed"),  # not listed
        ("https://127.0.0.2/x.png", "image_host_not_allowed"),  # listed, and not public
        ("https://169.254.169.254/", "image_host_not_allowed"),
        ("http://127.0.0.2/x.png", "image_url_invalid"),
        ("ftp://127.0.0.1/x.png", "image_url_invalid"),
        ("https://user:secret@127.0.0.1/x.png", "image_url_invalid"),
        ("", "image_url_invalid"),
    ],
)
def test_a_url_that_is_never_called_is_refused(client: TestClient, images: Receiver, url: str, code: str) -> None:
    response = submit(client, url)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert [error["field"] for error in response.json()["errors"]] == ["image_url"]
    assert images.connections == 0


@pytest.mark.parametrize("more", [{"image": "iVBORw0K"}, {"image_id": "img_" + "0" * 32}])
def test_there_is_one_image(client: TestClient, images: Receiver, more: dict[str, str]) -> None:
    response = submit(client, images.url("/scene.png"), **more)
    assert (response.status_code, response.json()["code"]) == (422, "image_source")
    assert images.connections == 0


def test_too_many_at_once_are_told_to_come_back(client: TestClient, backend: Backend, images: Receiver) -> None:
    slots = backend.image_fetcher._slots
    while slots.acquire(blocking=False):
        pass
    response = submit(client, images.url("/scene.png"))
    assert (response.status_code, response.json()["code"]) == (503, "image_fetches_busy")
    assert response.headers["Retry-After"]
    assert images.connections == 0


class TestByDefault:
    @pytest.fixture
    def settings(self, settings: ServiceSettings) -> ServiceSettings:
        off = ServiceSettings.model_fields
        changes = {name: off[name].default for name in ("image_hosts", "outbound_allow")}
        return settings.model_copy(update=changes)

    def test_no_image_is_fetched(self, client: TestClient, images: Receiver) -> None:
        response = submit(client, images.url("/scene.png"))
        assert (response.status_code, response.json()["code"]) == (422, "image_host_not_allowed")
        assert "the operator has listed no hosts" in response.json()["detail"]
        assert images.connections == 0
