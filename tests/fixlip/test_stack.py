from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fixlip.errors import ChildError, CommandError
from fixlip.redis_server import RedisServer
from fixlip.stack import Stack, listen


def test_a_port_that_is_taken() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CommandError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .*in use"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(CommandError, match=r"cannot listen on 203\.0\.113\.7 port 0: "):
        listen("203.0.113.7", 0)


def test_listening_is_ready_for_connections() -> None:
    with listen("localhost", 0) as listener, socket.create_connection(listener.getsockname()[:2], timeout=5):
        pass


@pytest.mark.slow
def test_a_part_that_fails_stops_the_rest_and_is_quoted(tmp_path: Path) -> None:
    stack = Stack(tmp_path, environment={"FIXLIP_MODELS": "no-such-model"}, quiet=True)
    with pytest.raises(ChildError, match=r"(?s)the worker stopped with exit status 1:.*'no-such-model' is unknown"):
        stack.start()
    with RedisServer(tmp_path / "redis"):  # which would refuse, if the stack's own server still ran
        pass
    with pytest.raises(CommandError, match="redis-server is not running"):
        stack.wait()


def test_a_port_that_is_taken_starts_nothing(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(CommandError, match="in use"):
        Stack(tmp_path / "data", port=taken.getsockname()[1]).start()
    assert not (tmp_path / "data").exists()
