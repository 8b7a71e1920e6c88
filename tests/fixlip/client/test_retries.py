from __future__ import annotations

import socket
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from fixlip.client import (
    Client,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
    ServiceError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tests.fixlip.client.conftest import Connect
from tests.support.scripted_service import JOB, Reply, ScriptedService, job, problem

PASSING = [problem(429), problem(502), problem(503), problem(504), problem(409, "idempotency_in_flight")]
SOON = "0"
LATE = "3600"


@pytest.mark.parametrize("reply", PASSING, ids=lambda reply: str(reply.status))
def test_what_passes_is_tried_again(client: Client, service: ScriptedService, reply: Reply) -> None:
    service.will(reply, reply, job())
    assert client.get("a").id == JOB["id"]
    assert [request.path for request in service.requests] == ["/v1/explanations/a"] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 500])
def test_what_does_not_pass_is_not(client: Client, service: ScriptedService, status: int) -> None:
    service.will(problem(status), job())
    with pytest.raises(ServiceError) as raised:
        client.get("a")
    assert raised.value.status == status
    assert len(service.requests) == 1


def test_every_try_of_a_submission_is_the_same_submission(client: Client, service: ScriptedService) -> None:
    service.will(Reply(200, b'{"id"', is_cut=True), problem(503), job(), job())
    client.submit(image=b"picture", caption="a red circle")
    client.submit(image=b"picture", caption="a red circle")
    keys = [request.headers["idempotency-key"] for request in service.requests]
    assert len(set(keys[:3])) == 1
    assert keys[3] != keys[0]
    assert all(b"picture" in request.body and b"a red circle" in request.body for request in service.requests)


def test_a_key_of_ones_own(client: Client, service: ScriptedService) -> None:
    service.will(job())
    client.submit(image_id="img_1", caption="a red circle", idempotency_key="order-7")
    assert service.requests[0].headers["idempotency-key"] == "order-7"


def test_the_service_is_not_asked_before_it_says(client: Client, service: ScriptedService) -> None:
    service.will(problem(503, retry_after="1"), job())
    began = time.monotonic()
    client.get("a")
    assert 1.0 <= time.monotonic() - began < 2.0


def test_it_may_say_so_by_an_instant(client: Client, service: ScriptedService) -> None:
    service.will(problem(503, retry_after=formatdate(time.time() + 3600, usegmt=True)))
    with pytest.raises(UnavailableError) as raised:
        client.get("a")
    assert raised.value.retry_after_s == pytest.approx(3600, abs=5)


@pytest.mark.parametrize("reply", [problem(429, retry_after=LATE), problem(503, retry_after=LATE)])
def test_nobody_waits_longer_than_they_want(client: Client, service: ScriptedService, reply: Reply) -> None:
    service.will(reply, job())
    began = time.monotonic()
    with pytest.raises((QuotaError, UnavailableError)) as raised:
        client.get("a")
    assert raised.value.retry_after_s == 3600
    assert time.monotonic() - began < 1
    assert len(service.requests) == 1


def test_retries_end(connect: Connect, service: ScriptedService) -> None:
    client = connect(service.url, retry_for_s=0.3)
    service.will(*[problem(503, retry_after=SOON)] * 1000)
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        client.get("a")
    assert time.monotonic() - began < 2


def test_a_service_that_asks_for_no_pause_is_not_flooded(connect: Connect, service: ScriptedService) -> None:
    service.will(*[problem(503, retry_after=SOON)] * 1000)
    with pytest.raises(UnavailableError):
        connect(service.url, retry_for_s=0.6).get("a")
    assert len(service.requests) <= 3


def test_no_retries(connect: Connect, service: ScriptedService) -> None:
    service.will(problem(503), job())
    with pytest.raises(UnavailableError):
        connect(service.url, retry_for_s=0).get("a")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no such host"])
def test_nothing_answers(connect: Connect, url: str) -> None:
    with pytest.raises(UnreachableError, match=r"no service answers at http://(127\.0\.0\.1:9|no%20such%20host) \("):
        connect(url, retry_for_s=0.1).get("a")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "http://[::1", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none(connect: Connect, url: str) -> None:
    with pytest.raises(ServiceError, match="is no URL of a service"):
        connect(url)


def test_an_answer_that_takes_too_long(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnreachableError, match=r"no service answers at .* \((timed out|ReadTimeout)\)"):
            connect(url, timeout_s=0.2, retry_for_s=0).get("a")


def test_deleting_again_what_is_gone(client: Client, service: ScriptedService) -> None:
    service.will(Reply(200, is_cut=True), problem(404, "job_not_found"))
    client.delete("a")
    assert len(service.requests) == 2


def test_canceling_again_what_is_canceled(client: Client, service: ScriptedService) -> None:
    service.will(Reply(200, is_cut=True), problem(409, "job_final", job_status="canceled"), job("canceled"))
    assert client.cancel("a").status == "canceled"
    assert [request.method for request in service.requests] == ["POST", "POST", "GET"]


def test_canceling_what_had_ended(client: Client, service: ScriptedService) -> None:
    canceled, succeeded = (problem(409, "job_final", job_status=status) for status in ("canceled", "succeeded"))
    service.will(canceled, problem(503), succeeded)
    for _ in range(2):
        with pytest.raises(ConflictError):
            client.cancel("a")


def test_deleting_what_never_was(client: Client, service: ScriptedService) -> None:
    service.will(problem(404, "job_not_found"))
    with pytest.raises(NotFoundError):
        client.delete("a")


def test_what_a_problem_says(client: Client, service: ScriptedService) -> None:
    errors = [{"field": "params.p", "code": "less_than", "message": "too much", "new": 1}]
    service.will(problem(422, "invalid_parameter", errors=errors), problem(409, "job_open", job_status="running"))
    with pytest.raises(InvalidRequestError, match=r"says no \(422 .*\): told invalid_parameter") as invalid:
        client.submit(image=b"", caption="")
    assert (invalid.value.code, invalid.value.request_id) == ("invalid_parameter", "r1")
    assert [(error.field, error.code) for error in invalid.value.errors] == [("params.p", "less_than")]
    with pytest.raises(ConflictError) as conflict:
        client.delete("a")
    assert conflict.value.job_status == "running"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"errors": 7}', b'{"detail": null}', b"\xff"])
def test_a_problem_that_is_no_problem_document(client: Client, service: ScriptedService, body: bytes) -> None:
    service.will(Reply(400, body, {"X-Request-Id": "r2"}))
    with pytest.raises(InvalidRequestError, match=r"says no \(400 Bad Request\): no explanation was given") as raised:
        client.get("a")
    assert raised.value.request_id == "r2"


def test_the_key_is_sent_and_not_shown(client: Client, service: ScriptedService, tmp_path: Path) -> None:
    service.will(problem(401, "unauthenticated"))
    with pytest.raises(ServiceError) as raised:
        client.get("a")
    assert service.requests[0].headers["authorization"] == "Bearer fxl_key"
    assert "fxl_key" not in f"{raised.value!r} {client!r}"


@pytest.mark.parametrize("key", ["fxl_one\nfxl_other", "fxl_schl\u00fcssel"])
def test_a_key_that_cannot_be_sent(connect: Connect, service: ScriptedService, key: str) -> None:
    with pytest.raises(ServiceError, match="characters that HTTP does not allow") as raised:
        connect(service.url, api_key=key).get("a")
    assert "fxl" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    with pytest.raises(ServiceError, match="characters that HTTP does not allow"):
        connect(service.url).submit(image_id="img_1", caption="a red circle", idempotency_key=key)


def test_a_password_in_the_address_is_not_shown(connect: Connect, service: ScriptedService) -> None:
    with pytest.raises(UnreachableError, match=r"at http://127\.0\.0\.1:9 \("):
        connect("http://me:secret@127.0.0.1:9", retry_for_s=0).get("a")
    service.will(Reply(200, b"[]"))
    with pytest.raises(UnexpectedAnswerError) as raised:
        connect(service.url.replace("://", "://me:secret@"), retry_for_s=0).get("a")
    assert "secret" not in str(raised.value)


def test_an_answer_that_is_not_compressed_as_it_says(connect: Connect, service: ScriptedService) -> None:
    service.will(Reply(200, b"not gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(UnexpectedAnswerError, match="cannot be decoded"):
        connect(service.url, retry_for_s=0).get("a")


def test_address_and_key_of_the_environment(
    connect: Connect, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIXLIP_URL", f"{service.url}/")
    monkeypatch.setenv("FIXLIP_API_KEY", "fxl_env")
    service.will(job(), job(), job())
    connect(None).get("a")
    connect(None, api_key="fxl_given").get("a")
    connect(None, api_key="").get("a")
    keys = [request.headers.get("authorization") for request in service.requests]
    assert keys == ["Bearer fxl_env", "Bearer fxl_given", None]
    assert {request.path for request in service.requests} == {"/v1/explanations/a"}
