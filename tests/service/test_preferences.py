from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.preferences import Patience


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()

    @app.get("/")
    def show(wait_s: Patience) -> int | None:
        return wait_s

    return TestClient(app)


@pytest.mark.parametrize(
    ("prefer", "wait_s"),
    [
        ("wait=0", 0),
        ("wait=7", 7),
        ("wait=60", 60),
        ("wait=61", 60),
        ("wait=999999999", 60),
        ("Wait = 7", 7),
        ('wait="7"', 7),
        ("wait=7; foo=bar", 7),
        ("respond-async, wait=7", 7),
        ("wait=7, wait=9", 7),
        ("respond-async", None),
        ("wait", None),
        ("wait=", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=soon", None),
        ("wait=\u0667".encode(), None),
        ("await=7", None),
        ("", None),
    ],
)
def test_what_makes_sense_is_taken_and_the_rest_ignored(
    client: TestClient, prefer: str | bytes, wait_s: int | None
) -> None:
    value = prefer if isinstance(prefer, bytes) else prefer.encode()
    assert client.get("/", headers={b"Prefer": value}).json() == wait_s


def test_the_header_may_come_more_than_once(client: TestClient) -> None:
    headers = [("Prefer", "respond-async"), ("Prefer", "wait=7")]
    assert client.get("/", headers=headers).json() == 7


def test_without_the_header_nothing_is_preferred(client: TestClient) -> None:
    assert client.get("/").json() is None
