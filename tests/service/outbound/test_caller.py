from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler

import httpcore
import pytest

from service.outbound.caller import Caller
from service.outbound.destinations import Destination
from service.outbound.errors import AnswerTooLongError, UnreachableError
from service.outbound.network import Deadline
from service.outbound.trust import Trust
from tests.support.receiver import Received, Receiver, Reply, answer

LOCAL = Trust.of(["127.0.0.1", "slow.example"])
SHORT_S = 0.4
LONG_S = 20.0


def get(url: str, *, within_s: float = LONG_S, max_bytes: int = 1000, caller: Caller | None = None) -> bytes:
    caller = caller or Caller(LOCAL)
    with caller.call("GET", Destination.parse(url), deadline=Deadline(within_s), headers={}) as found:
        return found.read(max_bytes=max_bytes)


def drip(write: Callable[[BaseHTTPRequestHandler], None]) -> Callable[[BaseHTTPRequestHandler, Received], None]:
    """Goes on writing for as long as anybody listens."""

    def reply(handler: BaseHTTPRequestHandler, _: Received) -> None:
        ends_at = time.monotonic() + LONG_S
        while time.monotonic() < ends_at:
            write(handler)
            handler.wfile.flush()
            time.sleep(0.05)

    return reply


def headers_one_by_one(handler: BaseHTTPRequestHandler) -> None:
    if not hasattr(handler, "begun"):
        handler.begun = True  # type: ignore[attr-defined]  # the handler is this request's own
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    handler.wfile.write(b"X: y\r\n")


def a_body_byte_by_byte(handler: BaseHTTPRequestHandler) -> None:
    if not hasattr(handler, "begun"):
        handler.begun = True  # type: ignore[attr-defined]  # the handler is this request's own
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    handler.wfile.write(b"x")


def promises_for_ever(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def says(data: bytes) -> Reply:
    """Says this, and hangs up."""

    def reply(handler: BaseHTTPRequestHandler, _: Received) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return reply


def nothing(handler: BaseHTTPRequestHandler) -> None:
    """Keeps the line open."""


@pytest.mark.parametrize("write", [headers_one_by_one, a_body_byte_by_byte, promises_for_ever, nothing])
def test_however_slowly_it_goes_on_a_call_ends_in_time(write: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with Receiver(drip(write)) as receiver:
        started_s = time.monotonic()
        with pytest.raises(UnreachableError, match="it took too long"):
            get(receiver.url(), within_s=SHORT_S)
        assert SHORT_S <= time.monotonic() - started_s < SHORT_S + 2


def test_a_name_that_is_looked_up_for_ever() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        time.sleep(LONG_S)
        return ["127.0.0.1"]

    started_s = time.monotonic()
    with pytest.raises(UnreachableError, match="not found in time"):
        get("http://slow.example/", within_s=SHORT_S, caller=Caller(LOCAL, resolve=resolve))
    assert time.monotonic() - started_s < SHORT_S + 2


def test_addresses_that_do_not_answer_are_passed_over() -> None:
    with Receiver(lambda handler, _: answer(handler, 200, b"here")) as receiver:
        caller = Caller(Trust.of(["127.0.0.0/8", "::1"]), resolve=lambda *_: ["::1", "127.0.0.1"])
        assert get(f"http://127.0.0.9:{receiver.port}/", caller=caller) == b"here"


def test_nobody_listens() -> None:
    with Receiver() as gone:
        url = gone.url()
    with pytest.raises(UnreachableError, match="does not answer"):
        get(url)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 999999 ?\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
        OK + b"X\xff: y\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzzzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n",
    ],
)
def test_what_is_no_http(said: bytes) -> None:
    with Receiver(says(said)) as receiver, pytest.raises(UnreachableError, match="it does not answer as HTTP has it"):
        get(receiver.url())


def test_headers_without_end() -> None:
    said = b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10**6
    with Receiver(says(said)) as receiver, pytest.raises(UnreachableError):
        get(receiver.url())


@pytest.mark.parametrize("length", [1000, 1001])
def test_a_body_may_be_so_long_and_no_longer(length: int) -> None:
    with Receiver(lambda handler, _: answer(handler, 200, b"x" * length)) as receiver:
        if length == 1000:
            assert get(receiver.url()) == b"x" * 1000
        else:
            with pytest.raises(AnswerTooLongError, match=r"1,000 bytes"):
                get(receiver.url())


def test_a_body_without_end_is_not_read_to_it() -> None:
    def reply(handler: BaseHTTPRequestHandler, _: Received) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            handler.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")

    with Receiver(reply) as receiver, pytest.raises(AnswerTooLongError):
        get(receiver.url(), max_bytes=100_000)


def test_a_body_that_breaks_off() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with Receiver(says(said)) as receiver, pytest.raises(UnreachableError, match="does not answer"):
        get(receiver.url())


def test_no_credentials_nor_cookies_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "/dev/null")
    with Receiver(lambda handler, _: answer(handler, 200, b"", Set_Cookie="a=b")) as receiver:
        caller = Caller(LOCAL)
        for _ in range(2):
            get(receiver.url(), caller=caller)
        sent = {name for received in receiver.received for name in received.headers}
    assert sent == {"host", "user-agent", "accept-encoding"}
    assert receiver.connections == 2  # none is kept for whoever calls next


def test_the_deadline_holds_for_each_step() -> None:
    with pytest.raises(UnreachableError):
        Deadline(0).left_s()
    assert 0 < Deadline(1).left_s() <= 1


def test_a_connection_refused_by_all_addresses_is_told() -> None:
    class Refusing(httpcore.NetworkBackend):
        def connect_tcp(self, *_: object, **__: object) -> httpcore.NetworkStream:
            raise httpcore.ConnectTimeout("no answer")

    with pytest.raises(UnreachableError, match="took too long"):
        get("http://127.0.0.1/", caller=Caller(LOCAL, network=Refusing()))
