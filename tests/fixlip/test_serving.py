from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from fixlip.serving import MAX_HEAD_BYTES, BoundedHttp
from tests.support.processes import wait_until

MOST_SENT_BYTES = 8 * 1024 * 1024
"""Far more than may come before the server has had enough, the buffers of the sockets included."""
BODY_BYTES = 4 * MAX_HEAD_BYTES


async def _length_of(scope: Scope, receive: Receive, send: Send) -> None:
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Of a server that answers with the length of what is posted to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(_length_of, http=BoundedHttp, loop="uvloop", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_until(lambda: server.started)
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


def sent_until_refused(address: tuple[str, int], begin: bytes, more: bytes) -> int:
    """How many bytes were sent before the server hung up."""
    sent = 0
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(begin)
        try:
            while sent < MOST_SENT_BYTES:
                client.sendall(more)
                sent += len(more)
        except ConnectionError:
            pass
    return sent


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET /", b"a" * 8192),
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 8192),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 1024),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"X: y\r\n" * 1024),
    ],
    ids=["path", "header", "headers", "trailers"],
)
def test_a_request_without_end_is_cut_off(address: tuple[str, int], begin: bytes, more: bytes) -> None:
    assert sent_until_refused(address, begin, more) < MOST_SENT_BYTES


def test_a_long_head_and_a_longer_body_are_read(address: tuple[str, int]) -> None:
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nX: %s\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(head % (b"a" * (MAX_HEAD_BYTES - 1024), BODY_BYTES))
        client.sendall(b"b" * BODY_BYTES)
        answer = b"".join(iter(lambda: client.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert str(BODY_BYTES).encode() in answer
