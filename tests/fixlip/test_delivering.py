"""The deliverer of webhooks as a process, and a receiver that is another."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import redis
from standardwebhooks import Webhook

from fixlip.delivering import WebhookProcess, is_delivering
from fixlip.redis_server import RedisServer
from service.jobs.records import Job, WebhookState
from service.jobs.repository import JobRepository
from service.jobs.webhook_secrets import WebhookSecrets
from service.webhooks.settings import WebhookSettings
from tests.support.delivering import delivering
from tests.support.endings import ended, webhook_of
from tests.support.processes import wait_until
from tests.support.receiver import Received, Receiver, answer


def ended_with_secret(client: redis.Redis, url: str) -> tuple[Job, str]:
    secrets = WebhookSecrets(client).all_of("default") or [WebhookSecrets(client).create("default")]
    return ended(JobRepository(client), url), secrets[0].secret


def is_told(client: redis.Redis, job: Job) -> bool:
    return webhook_of(JobRepository(client), job)[0] is WebhookState.DELIVERED


def test_a_sign_that_lapses(redis_url: str) -> None:
    settings = WebhookSettings(redis_url=redis_url, heartbeat_s=0.2)
    with redis.Redis.from_url(redis_url) as client:
        assert not is_delivering(client, settings)
        WebhookProcess(settings).step()
        assert is_delivering(client, settings)
        wait_until(lambda: not is_delivering(client, settings), within_s=5)


def test_it_tells_of_its_state_of_redis_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(tmp_path / "redis") as server, redis.Redis.from_url(server.url) as client:
        settings = WebhookSettings(redis_url=server.url, heartbeat_s=1)
        process = WebhookProcess(settings)
        server.process.kill()
        server.process.wait()
        process.step()
        process.step()
        server.start()
        process.step()
        assert is_delivering(client, settings)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["Redis is away", "Redis is back"]


def test_asked_to_stop_it_lets_what_is_on_its_way_arrive(redis_url: str) -> None:
    has_come, may_go = threading.Event(), threading.Event()

    def hold(handler: BaseHTTPRequestHandler, _: Received) -> None:
        has_come.set()
        may_go.wait(10)
        answer(handler, 200)

    with redis.Redis.from_url(redis_url) as client, Receiver(hold) as receiver, delivering(redis_url) as process:
        job, secret = ended_with_secret(client, receiver.url())
        assert has_come.wait(10)
        process.terminate()
        threading.Timer(0.3, may_go.set).start()
        _, log = process.communicate(timeout=20)
        assert (process.returncode, log) == (0, b"")
        assert is_told(client, job)
        (received,) = receiver.received
    Webhook(secret).verify(received.body, dict(received.headers))


def test_a_receiver_that_is_down_and_then_up(redis_url: str) -> None:
    with Receiver() as gone:
        port = gone.port
    with redis.Redis.from_url(redis_url) as client, delivering(redis_url):
        job, secret = ended_with_secret(client, gone.url())
        repository = JobRepository(client)
        wait_until(lambda: webhook_of(repository, job)[1] >= 2)
        assert webhook_of(repository, job)[0] is WebhookState.PENDING
        with Receiver(port=port) as back:
            wait_until(lambda: is_told(client, job))
            (received,) = back.received
    Webhook(secret).verify(received.body, dict(received.headers))


def test_a_deliverer_that_is_killed_on_the_way(redis_url: str) -> None:
    """What it had in hand comes again, under the same id; what it had not begun comes once."""
    has_come = threading.Event()

    def hold_the_first(handler: BaseHTTPRequestHandler, _: Received) -> None:
        if not has_come.is_set():
            has_come.set()
            threading.Event().wait(0.5)
        answer(handler, 200)

    with redis.Redis.from_url(redis_url) as client, Receiver(hold_the_first) as receiver:
        with delivering(redis_url) as process:
            first, secret = ended_with_secret(client, receiver.url())
            assert has_come.wait(10)
            process.kill()
            process.wait()
        assert webhook_of(JobRepository(client), first) == (WebhookState.PENDING, 0)
        letter = f"127.0.0.1 {first.id}"
        second, _ = ended_with_secret(client, receiver.url())
        client.zadd("fixlip:outbox", {letter: 0})  # its lease has lapsed
        with delivering(redis_url):
            wait_until(lambda: is_told(client, first) and is_told(client, second))
        ids = [received.headers["webhook-id"] for received in receiver.received]
        assert sorted(ids) == sorted([f"msg_{first.id}", f"msg_{first.id}", f"msg_{second.id}"])
        for received in receiver.received:
            Webhook(secret).verify(received.body, dict(received.headers))


def test_a_redis_that_is_killed_and_comes_back(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path / "redis") as server,
        Receiver() as receiver,
        delivering(server.url, FIXLIP_WEBHOOK_TIMEOUT_S="0.5") as process,
    ):
        with redis.Redis.from_url(server.url) as client:
            before, secret = ended_with_secret(client, receiver.url("/before"))
            wait_until(lambda: is_told(client, before))
            late, _ = ended_with_secret(client, f"http://127.0.0.1:{receiver.port}/late")
            server.process.kill()
            server.process.wait()
            server.start()
            wait_until(lambda: is_told(client, late))
        assert process.poll() is None
        after = [received for received in receiver.received if received.path == "/late"]
    for received in after:
        Webhook(secret).verify(received.body, dict(received.headers))
    assert {received.headers["webhook-id"] for received in after} == {f"msg_{late.id}"}


def test_a_wrong_setting_is_told_in_a_line(redis_url: str) -> None:
    with delivering(redis_url, FIXLIP_OUTBOUND_ALLOW="10.0.0.0/8,https://hooks.internal/") as process:
        _, log = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"FIXLIP_OUTBOUND_ALLOW: Value error, 'https://hooks.internal/' is no host" in log.replace(b"\n", b" ")
