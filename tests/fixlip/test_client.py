from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fixlip.client import Client
from fixlip.errors import ServiceError
from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_npz_bytes
from tests.support.jobs import PARAMS, png


@pytest.fixture
def client(service_url: str) -> Iterator[Client]:
    with Client(service_url) as client:
        yield client


def test_submit_follow_download(client: Client, tmp_path: Path) -> None:
    submitted = client.submit(png(), "a red circle", params=PARAMS)
    assert submitted["status"] == "queued"
    states = list(client.follow(submitted))
    assert {state["id"] for state in states} == {submitted["id"]}
    assert states[-1]["status"] == "succeeded"
    assert states[-1]["progress"]["completed"] == states[-1]["progress"]["total"]
    client.download(states[-1], tmp_path / "out")
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    maps = {"maps/first-order.png", "maps/graph.png", "maps/token-0.png", "maps/token-1.png", "maps/token-2.png"}
    assert names == {"interactions.npz", "interactions.json", "result.json"} | maps
    exact = Explanation.load(tmp_path / "out" / "interactions.npz")
    assert to_npz_bytes(exact) == to_npz_bytes(Explanation.load(tmp_path / "out" / "interactions.json"))
    assert json.loads((tmp_path / "out" / "result.json").read_text())["tokens"] == list(exact.tokens)


def test_refusal_is_told_in_the_services_words(client: Client) -> None:
    with pytest.raises(ServiceError, match=r"says no \(422 .*model 'gone' is unknown; known models: fake"):
        client.submit(png(), "a red circle", model="gone")


def test_failed_job_is_final(client: Client) -> None:
    params = {**PARAMS, "estimator": "least_squares", "budget": 16}
    *_, last = client.follow(client.submit(png(), "a red circle", params=params))
    assert last["status"] == "failed"
    assert "16 image coalitions" in last["error"]["detail"]


def test_cancel(client: Client) -> None:
    jobs = [client.submit(png(), "a red circle", params=PARAMS) for _ in range(8)]
    last = jobs[-1]

    assert client.cancel(last)["cancel_requested_at"] is not None

    *_, ended = client.follow(last)
    assert ended["status"] == "canceled"
    with pytest.raises(ServiceError, match=r"says no \(409 Conflict\): explanation '.*' is canceled already"):
        client.cancel(last)
    assert {list(client.follow(job))[-1]["status"] for job in jobs[:-1]} == {"succeeded"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no such host", "127.0.0.1:8000", "ftp://127.0.0.1"])
def test_no_service(url: str) -> None:
    with Client(url) as client, pytest.raises(ServiceError, match="start one with `fixlip up`"):
        client.submit(b"", "a caption")


def test_answer_that_is_no_problem_document(unhelpful_url: str) -> None:
    with Client(unhelpful_url) as client, pytest.raises(ServiceError, match=r"says no \(502 Bad Gateway\): no expl"):
        client.submit(b"", "a caption")


@pytest.fixture
def unhelpful_url() -> Iterator[str]:
    class Unhelpful(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(502)
            self.end_headers()
            self.wfile.write(b"<html>upstream is away</html>")

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Unhelpful) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
