from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import redis
from standardwebhooks import Webhook, WebhookVerificationError

from service.jobs.records import Job, JobStatus, WebhookState
from service.jobs.repository import JobRepository
from service.jobs.webhook_secrets import WebhookSecrets
from service.outbound.caller import Caller
from service.webhooks.deliverer import PER_HOST, Deliverer
from service.webhooks.settings import WebhookSettings
from tests.service.outbound.networks import Names, RecordingNetwork
from tests.support.endings import ended, webhook_of
from tests.support.processes import wait_until
from tests.support.receiver import Received, Receiver, Reply, answer

Deliver = Callable[..., Deliverer]


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def repository(client: redis.Redis) -> JobRepository:
    return JobRepository(client)


@pytest.fixture
def secrets(client: redis.Redis) -> WebhookSecrets:
    return WebhookSecrets(client)


@pytest.fixture
def deliverer(client: redis.Redis, redis_url: str) -> Iterator[Deliver]:
    """Makes deliverers to this machine that try again at once."""
    made = []

    def make(caller: Caller | None = None, *, allow: str = "127.0.0.1", **settings: object) -> Deliverer:
        fields = {"webhook_retries_s": (0.0, 0.0), "webhook_timeout_s": 5.0, **settings}
        read = WebhookSettings.model_validate({"redis_url": redis_url, "outbound_allow": allow, **fields})
        made.append(Deliverer(client, read, caller or Caller(read.trust)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def deliver_all(deliverer: Deliverer, *, within_s: float = 10) -> None:
    """Until nothing is due any more, nor under way."""
    deadline = time.monotonic() + within_s
    while deliverer.deliver_due():
        deliverer.wait(0.01)
        assert time.monotonic() < deadline


def statuses(*codes: int) -> Reply:
    """Answers with one after the other."""
    left = list(codes)
    return lambda handler, _: answer(handler, left.pop(0))


@pytest.mark.parametrize("status", [status for status in JobStatus if status.is_terminal])
def test_a_receiver_is_told_of_every_end_and_can_verify_it(
    status: JobStatus, repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver
) -> None:
    secret = secrets.create("default").secret
    with Receiver() as receiver:
        job = ended(repository, receiver.url("/hook?to=me"), status=status)
        deliver_all(deliverer())
    (received,) = receiver.received
    assert (received.method, received.path) == ("POST", "/hook?to=me")
    assert received.headers["content-type"] == "application/json"
    message = Webhook(secret).verify(received.body, dict(received.headers))
    assert (message["type"], message["data"]["id"]) == (f"explanation.{status}", job.id)
    assert webhook_of(repository, job) == (WebhookState.DELIVERED, 1)


def test_what_fails_is_tried_again_under_the_same_id_until_it_arrives(
    repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver
) -> None:
    secrets.create("default")
    with Receiver(statuses(500, 302, 299)) as receiver:
        job = ended(repository, receiver.url())
        deliver_all(deliverer())
        assert len(receiver.received) == 3
    assert {received.headers["webhook-id"] for received in receiver.received} == {f"msg_{job.id}"}
    assert len({received.body for received in receiver.received}) == 1
    assert webhook_of(repository, job) == (WebhookState.DELIVERED, 3)


@pytest.mark.parametrize(("codes", "attempts"), [((500, 404, 429), 3), ((500, 410), 2), ((410,), 1)])
def test_it_is_given_up_after_the_last_try_or_when_nobody_wants_it(
    codes: tuple[int, ...],
    attempts: int,
    repository: JobRepository,
    secrets: WebhookSecrets,
    deliverer: Deliver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets.create("default")
    with Receiver(statuses(*codes)) as receiver:
        job = ended(repository, receiver.url("/hook?key=private"))
        deliver_all(deliverer())
        assert len(receiver.received) == attempts
    assert webhook_of(repository, job) == (WebhookState.FAILED, attempts)
    warning = caplog.records[-1]
    assert warning.levelno == logging.WARNING
    assert "is given up: status" in warning.getMessage()
    assert "private" not in caplog.text


def test_pauses_grow_and_are_never_shorter_than_said(
    repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver, client: redis.Redis
) -> None:
    secrets.create("default")
    with Receiver(statuses(500, 500)) as receiver:
        ended(repository, receiver.url())
        one = deliverer(webhook_retries_s="100, 1000")
        for pause_s in (100, 1000):
            deliver_all(one)
            (letter,) = client.zrange("fixlip:outbox", 0, -1)
            assert isinstance(letter, bytes)
            due_at = client.zscore("fixlip:outbox", letter)
            assert due_at is not None
            assert pause_s - 1 < due_at - time.time() < 1.2 * pause_s + 1
            client.zadd("fixlip:outbox", {letter: 0})


def test_by_default_it_takes_most_of_a_day_to_give_up() -> None:
    pauses_s = WebhookSettings().webhook_retries_s
    assert pauses_s == (5, 30, 120, 600, 1800, 7200, 18_000, 36_000)


def test_a_receiver_that_is_not_there(repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver) -> None:
    secrets.create("default")
    with Receiver() as gone:
        url = gone.url()
    job = ended(repository, url)
    deliver_all(deliverer())
    assert webhook_of(repository, job) == (WebhookState.FAILED, 3)


def test_a_receiver_that_takes_too_long(repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver) -> None:
    secrets.create("default")
    is_over = threading.Event()

    def hold(handler: BaseHTTPRequestHandler, _: Received) -> None:
        is_over.wait(10)

    with Receiver(hold) as receiver:
        job = ended(repository, receiver.url())
        deliver_all(deliverer(webhook_timeout_s=0.2, webhook_retries_s=()))
        is_over.set()
    assert webhook_of(repository, job) == (WebhookState.FAILED, 1)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["169.254.169.254"], ["93.184.215.14", "10.0.0.1"]])
def test_private_addresses_are_not_called(
    addresses: list[str], repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver
) -> None:
    secrets.create("default")
    with Receiver() as receiver:
        network = RecordingNetwork(receiver.port)
        caller = Caller(WebhookSettings().trust, resolve=Names({"evil.example": [addresses]}), network=network)
        job = ended(repository, "https://evil.example/")
        deliver_all(deliverer(caller))
        assert (network.asked, receiver.connections) == ([], 0)
    assert webhook_of(repository, job) == (WebhookState.FAILED, 3)


def test_secrets_rotate(repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver) -> None:
    old = secrets.create("default")
    new = secrets.create("default")
    one = deliverer()
    with Receiver() as receiver:
        ended(repository, receiver.url())
        deliver_all(one)
        secrets.delete("default", old.id)
        ended(repository, receiver.url())
        deliver_all(one)
    both, one_left = receiver.received
    signatures = both.headers["webhook-signature"].split()
    assert len(signatures) == 2
    for known in (old, new):
        Webhook(known.secret).verify(both.body, dict(both.headers))
    Webhook(new.secret).verify(one_left.body, dict(one_left.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(old.secret).verify(one_left.body, dict(one_left.headers))


def test_a_tenants_messages_are_signed_with_its_own_secrets_alone(
    repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver
) -> None:
    adas, bobs = secrets.create("ada").secret, secrets.create("bob").secret
    with Receiver() as receiver:
        ended(repository, receiver.url("/ada"), tenant="ada")
        ended(repository, receiver.url("/bob"), tenant="bob")
        deliver_all(deliverer())
    found = {received.path: received for received in receiver.received}
    for path, own, other in (("/ada", adas, bobs), ("/bob", bobs, adas)):
        received = found[path]
        Webhook(own).verify(received.body, dict(received.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(received.body, dict(received.headers))


def test_nothing_is_sent_unsigned(repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver) -> None:
    one = deliverer(webhook_retries_s=(0.0, 0.5))
    with Receiver() as receiver:
        job = ended(repository, receiver.url())
        deliver_all(one)
        assert receiver.connections == 0
        assert webhook_of(repository, job)[0] is WebhookState.PENDING
        secrets.create("default")
        wait_until(lambda: one.deliver_due() > 0)
        deliver_all(one)
        assert len(receiver.received) == 1


def test_a_slow_receiver_does_not_stop_the_others(
    repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver
) -> None:
    secrets.create("default")
    is_over = threading.Event()

    def hold(handler: BaseHTTPRequestHandler, _: Received) -> None:
        is_over.wait(20)
        answer(handler, 200)

    one = deliverer(allow="127.0.0.1,localhost", webhook_concurrency=PER_HOST + 1, webhook_timeout_s=30.0)
    with Receiver(hold) as slow, Receiver() as quick:
        held = [ended(repository, slow.url()) for _ in range(3 * PER_HOST)]
        jobs = [ended(repository, f"http://localhost:{quick.port}/") for _ in range(10)]

        def all_are_told(of: list[Job]) -> bool:
            one.deliver_due()
            return all(webhook_of(repository, job)[0] is WebhookState.DELIVERED for job in of)

        wait_until(lambda: all_are_told(jobs))
        assert slow.connections == PER_HOST
        is_over.set()
        wait_until(lambda: all_are_told(held))
        assert slow.connections == len(held)


def test_two_deliverers_share_the_work(repository: JobRepository, secrets: WebhookSecrets, deliverer: Deliver) -> None:
    secrets.create("default")
    with Receiver() as receiver:
        jobs = [ended(repository, receiver.url()) for _ in range(60)]
        threads = [threading.Thread(target=deliver_all, args=(deliverer(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [json.loads(received.body)["data"]["id"] for received in receiver.received]
    assert sorted(ids) == sorted(job.id for job in jobs)
    assert {webhook_of(repository, job) for job in jobs} == {(WebhookState.DELIVERED, 1)}


def test_what_nobody_foresaw_is_a_failed_try_and_ends(
    deliverer: Deliver, repository: JobRepository, secrets: WebhookSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.create("ada")
    done = ended(repository, "https://127.0.0.1:9/hook", tenant="ada")

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("service.webhooks.deliverer.message_of", explode)
    deliver_all(deliverer())

    assert webhook_of(repository, done) == (WebhookState.FAILED, 3)
