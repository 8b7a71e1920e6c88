from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from redis.exceptions import ReadOnlyError

from fixlip.redis_server import RedisServer
from fixlip.stack import listen
from service.jobs.connection import check_url, connect
from tests.support.processes import wait_until
from tests.support.redis_group import PASSWORD, RedisGroup

TIMEOUT_S = 0.5


@pytest.fixture
def group(tmp_path: Path) -> Iterator[RedisGroup]:
    with RedisGroup(tmp_path) as group:
        yield group


def sentinel_url(*ports: int) -> str:
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"redis+sentinel://:{quote(PASSWORD, safe='')}@{hosts}/1?master=main"


@contextmanager
def silent() -> Iterator[int]:
    """The port of a server that takes connections and bytes, and never answers."""
    with listen("127.0.0.1", 0) as listener:
        yield listener.getsockname()[1]


def value_at(port: int) -> object:
    with redis.Redis("127.0.0.1", port, db=1, password=PASSWORD) as client:
        return client.get("job")


def works(act: Callable[[], object]) -> bool:
    try:
        act()
    except redis.RedisError:
        return False
    return True


def test_a_server_that_does_not_answer_is_given_up_soon() -> None:
    with silent() as port, connect(f"redis://127.0.0.1:{port}", timeout_s=TIMEOUT_S) as client:
        started = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            client.ping()
    assert TIMEOUT_S <= time.monotonic() - started < 4 * TIMEOUT_S


def test_a_command_without_an_answer_is_sent_once() -> None:
    received: list[bytes] = []

    def take() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(4096):
                    received.append(data)
                    if data.count(b"\r\nINCRBY\r\n"):
                        break  # the connection is cut and the answer lost
                    connection.sendall(b"+OK\r\n" * data.count(b"*"))

    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=take)
        thread.start()
        with connect(f"redis://127.0.0.1:{listener.getsockname()[1]}?protocol=2", timeout_s=TIMEOUT_S) as client:
            with pytest.raises(redis.ConnectionError):
                client.incr("counter")
            with pytest.raises(redis.ConnectionError):
                client.pipeline(transaction=True).incr("counter").execute()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert b"".join(received).count(b"\r\nINCRBY\r\n") == 2


def test_it_goes_on_when_the_server_is_back(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, connect(server.url, timeout_s=TIMEOUT_S) as client:
        client.set("job", "kept")
        server.process.kill()
        server.process.wait()
        with pytest.raises(redis.ConnectionError):
            client.get("job")
        server.start()
        assert client.get("job") == b"kept"


@pytest.mark.parametrize("transaction", [False, True])
def test_a_demoted_server_loses_its_connection(group: RedisGroup, transaction: bool) -> None:
    url = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{group.master}/0"
    with connect(url, timeout_s=TIMEOUT_S) as client:
        before = client.client_id()
        group.swap()
        with pytest.raises(ReadOnlyError):
            client.pipeline(transaction=transaction).set("job", "new").execute()
        assert client.client_id() > before


def test_a_master_that_dies_is_followed_to_its_successor(group: RedisGroup) -> None:
    with connect(sentinel_url(group.sentinel), timeout_s=TIMEOUT_S) as client:
        client.set("job", "kept")
        wait_until(lambda: value_at(group.replica) == b"kept")
        group.kill(group.master)
        with pytest.raises(redis.ConnectionError):
            client.get("job")
        wait_until(lambda: works(lambda: client.set("job", "changed")))
        assert value_at(group.replica) == b"changed"


def test_a_master_that_is_demoted_is_left(group: RedisGroup) -> None:
    with connect(sentinel_url(group.sentinel), timeout_s=TIMEOUT_S) as client:
        client.set("job", "old")
        wait_until(lambda: works(lambda: group.at(group.sentinel).execute_command("SENTINEL", "FAILOVER", "main")))
        wait_until(lambda: group.at(group.master).info("replication")["role"] == "slave")
        wait_until(lambda: works(lambda: client.set("job", "new")))
        assert value_at(group.replica) == b"new"


def test_sentinels_that_are_gone_or_silent_are_passed_over(group: RedisGroup) -> None:
    with listen("127.0.0.1", 0) as closed:
        nobody = closed.getsockname()[1]
    with silent() as mute, connect(sentinel_url(nobody, mute, group.sentinel), timeout_s=TIMEOUT_S) as client:
        client.set("job", "kept")
        client.connection_pool.disconnect()
        started = time.monotonic()
        assert client.get("job") == b"kept"
        assert time.monotonic() - started < TIMEOUT_S  # the one that answered is asked first


def test_no_sentinel_is_an_error_that_says_so() -> None:
    with listen("127.0.0.1", 0) as closed:
        nobody = closed.getsockname()[1]
    refused = pytest.raises(redis.ConnectionError, match=r"no sentinel knows a live master 'main'.*refused")
    with connect(sentinel_url(nobody), timeout_s=TIMEOUT_S) as client, refused:
        client.ping()


def test_an_unknown_master_is_an_error(group: RedisGroup) -> None:
    url = sentinel_url(group.sentinel).replace("master=main", "master=other")
    refused = pytest.raises(redis.ConnectionError, match="no sentinel knows a live master 'other'")
    with connect(url, timeout_s=TIMEOUT_S) as client, refused:
        client.ping()


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "rediss://user:secret@redis.example.org:6380/2",
        "unix:///run/redis.sock?db=1",
        "redis+sentinel://a,b:26380/0?master=main&sentinel_password=x",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    check_url(url)
    connect(url, timeout_s=1).close()


@pytest.mark.parametrize("url", ["http://a", "redis://a:port/0", "redis+sentinel://a", "redis://a?socket_timeout=soon"])
def test_urls_that_are_not(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_url(url)
