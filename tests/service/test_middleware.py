from __future__ import annotations

import json
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

LIMIT_BYTES = 4 * -(-20_000_000 // 3) + 512 * 1024


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_the_clients_request_id_is_echoed_and_logged(capsys: pytest.CaptureFixture[str], client: TestClient) -> None:
    response = client.get("/v1/explanations/x", headers={"X-Request-Id": "trace-7.a_B"})

    assert response.headers["X-Request-Id"] == response.json()["request_id"] == "trace-7.a_B"
    (line,) = [line for line in log_lines(capsys) if line["event"] == "request"]
    assert (line["request_id"], line["status"], line["path"]) == ("trace-7.a_B", 404, "/v1/explanations/x")


def test_the_id_of_a_submission_is_kept_with_the_job(client: TestClient, image_png: bytes) -> None:
    form, sent = {"caption": "a red circle"}, {"X-Request-Id": "trace-8"}
    job = client.post("/v1/explanations", data=form, files={"image": image_png}, headers=sent).json()

    assert job["request_id"] == client.get(job["urls"]["self"]).json()["request_id"] == "trace-8"


@pytest.mark.parametrize("offered", [b"", b"a b", b"x" * 129, b"a\tb", b'"}{"', "é".encode()])
def test_an_id_that_is_no_plain_word_is_replaced(client: TestClient, offered: bytes) -> None:
    ids = {client.get("/livez", headers={b"X-Request-Id": offered}).headers["X-Request-Id"] for _ in range(2)}

    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in ids)


def test_without_an_id_the_service_makes_one(client: TestClient) -> None:
    assert re.fullmatch("[0-9a-f]{32}", client.get("/livez").headers["X-Request-Id"])


def test_an_unexpected_error_is_a_problem_that_tells_nothing(
    capsys: pytest.CaptureFixture[str], app: FastAPI, client: TestClient
) -> None:
    def explode(caption: str) -> None:
        raise RuntimeError("secret detail")

    app.add_api_route("/explode", explode)

    response = client.get("/explode?caption=private", headers={"X-Request-Id": "r1"})

    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Request-Id"] == response.json()["request_id"] == "r1"
    assert response.json()["code"] == "internal_error"
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    (line,) = [line for line in log_lines(capsys) if line["event"] == "unexpected_error"]
    assert line["request_id"] == "r1"
    assert "secret detail" in str(line["exception"])
    assert "private" not in json.dumps(line)


@pytest.mark.parametrize("length", [str(LIMIT_BYTES + 1), "9" * 30])
def test_a_body_announced_too_long_is_refused_unread(client: TestClient, length: str) -> None:
    response = client.post("/v1/explanations", content=b"{}", headers={"Content-Length": length})

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Request-Id"] == response.json()["request_id"]


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_turns_out_too_long_is_refused(client: TestClient, content_type: str) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    chunks = (chunk for chunk in [head, *[bytes(1_000_000)] * 30])

    response = client.post("/v1/explanations", content=chunks, headers={"Content-Type": content_type})

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/v1/models", "/openapi.json", "/v1/explanations/none", "/livez", "/docs"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_head_has_the_headers_of_get_and_no_body(client: TestClient, path: str, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding, "X-Request-Id": "one"}
    got, response = (client.request(method, path, headers=headers) for method in ("GET", "HEAD"))

    assert (response.status_code, dict(response.headers)) == (got.status_code, dict(got.headers))
    assert response.content == b""


def test_head_is_not_allowed_where_get_is_not(client: TestClient) -> None:
    assert client.head("/v1/explanations/none/cancel").status_code == 405
