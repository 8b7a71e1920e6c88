"""Fixtures that every package's tests share: one real redis-server, and one double of S3, for the session."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
import redis

from fixlip.redis_server import RedisServer
from tests.support.s3 import CREDENTIALS, Bucket, s3_server

# Read when torch is first imported, here or in a child: tests and the processes that they start share the cores, which
# threads that spin while they wait would take from each other.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


BROWSER = "tests/browser"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a file are run by one process, one after the other, so that what they share is made once.

    All tests in the browser share a stack, and are as one file.
    """
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(BROWSER if file.startswith(f"{BROWSER}/") else file))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A private redis-server with nothing else in it; ``.url`` says where."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The session's server, emptied for this test."""
    with redis.Redis.from_url(redis_server.url) as connection:
        connection.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that speaks S3."""
    with s3_server(tmp_path_factory.mktemp("s3") / "server.log") as url:
        yield url


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, to which this process and its children have the keys."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = Bucket(s3_endpoint, f"bucket-{uuid.uuid4().hex}")
    bucket.create()
    return bucket
