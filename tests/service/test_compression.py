from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from service.compression import MIN_BYTES, CompressionMiddleware

LONG, SHORT = b"[" + b"0, " * MIN_BYTES + b"0]", b"[0]"
ETAG = '"0123"'


@pytest.fixture(scope="module")
def plain() -> TestClient:
    app = FastAPI()
    app.add_middleware(CompressionMiddleware)

    @app.get("/{kind:path}")
    def answer(kind: str, request: Request, short: bool = False) -> Response:
        if "if-none-match" in request.headers:
            return Response(status_code=304, headers={"ETag": ETAG})
        if "range" in request.headers:
            return Response(LONG[:100], 206, {"ETag": ETAG, "Content-Range": "bytes 0-99/*"}, media_type=kind)
        return Response(SHORT if short else LONG, headers={"ETag": ETAG}, media_type=kind)

    return TestClient(app)


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json", "image/svg+xml"])
def test_long_texts_are_compressed_and_their_etag_is_weak(plain: TestClient, kind: str) -> None:
    response = plain.get(f"/{kind}", headers={"Accept-Encoding": "gzip"})

    assert response.headers["Content-Encoding"] == "gzip"
    assert int(response.headers["Content-Length"]) < len(LONG) / 10
    assert response.headers["ETag"] == f"W/{ETAG}"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.content == LONG


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "text/event-stream"])
def test_what_gains_nothing_is_left_as_it_is(plain: TestClient, kind: str) -> None:
    response = plain.get(f"/{kind}", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in response.headers
    assert (response.headers["ETag"], response.content) == (ETAG, LONG)


def test_short_answers_and_clients_that_do_not_ask_get_the_bytes_themselves(plain: TestClient) -> None:
    for path, accepted in [("/application/json?short=1", "gzip"), ("/application/json", "identity")]:
        response = plain.get(path, headers={"Accept-Encoding": accepted})
        assert "Content-Encoding" not in response.headers
        assert response.headers["ETag"] == ETAG


@pytest.mark.parametrize("accepted", ["gzip;q=0", "identity, GZIP ; q=0.000, br", "gzip; q=0 , *"])
def test_clients_that_refuse_it_get_the_bytes_themselves(plain: TestClient, accepted: str) -> None:
    response = plain.get("/application/json", headers={"Accept-Encoding": accepted})

    assert "Content-Encoding" not in response.headers
    assert (response.headers["Vary"], response.content) == ("Accept-Encoding", LONG)


@pytest.mark.parametrize("accepted", ["gzip;q=0.5", "gzip;q=1.0, br", "br;q=0, gzip"])
def test_clients_that_take_it_with_less_joy_get_it(plain: TestClient, accepted: str) -> None:
    response = plain.get("/application/json", headers={"Accept-Encoding": accepted})

    assert response.headers["Content-Encoding"] == "gzip"


def test_a_range_is_of_the_plain_bytes(plain: TestClient) -> None:
    response = plain.get("/application/json", headers={"Accept-Encoding": "gzip", "Range": "bytes=0-99"})

    assert (response.status_code, response.content) == (206, LONG[:100])
    assert (response.headers["ETag"], response.headers["Vary"]) == (ETAG, "Accept-Encoding")


def test_that_nothing_has_changed_is_said_of_either_form(plain: TestClient) -> None:
    response = plain.get("/application/json", headers={"If-None-Match": ETAG})

    assert (response.status_code, response.headers["Vary"]) == (304, "Accept-Encoding")


def test_the_bytes_are_gzip_and_the_same_each_time(plain: TestClient) -> None:
    bodies = []
    for _ in range(2):
        with plain.stream("GET", "/application/json", headers={"Accept-Encoding": "gzip"}) as response:
            bodies.append(b"".join(response.iter_raw()))
    assert bodies[0] == bodies[1]
    assert gzip.decompress(bodies[0]) == LONG


def test_the_service_compresses_long_answers_and_leaves_a_jobs_record_alone(
    client: TestClient, submit: Callable[[], str]
) -> None:
    accepted = {"Accept-Encoding": "gzip"}

    assert client.get("/openapi.json", headers=accepted).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get(f"/v1/explanations/{submit()}", headers=accepted).headers
