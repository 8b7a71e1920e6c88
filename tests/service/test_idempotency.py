from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient
from httpx2 import Response

from service.backend import Backend
from service.idempotency import fingerprint_of
from service.jobs._rows import Row
from service.jobs.repository import JobRepository
from service.jobs.storage.bundles import BundleStore
from service.requests import ExplanationRequest

URL = "/v1/explanations"
CAPTION = "a red circle and a blue square"
KEY = {"Idempotency-Key": "order-7"}


@pytest.fixture
def post(client: TestClient, image_png: bytes) -> Callable[..., Response]:
    """Submits under the key."""

    def post(*, key: dict[str, str] = KEY, **fields: Any) -> Response:
        body = {"image": base64.b64encode(image_png).decode(), "caption": CAPTION, **fields}
        response: Response = client.post(URL, json=body, headers=key)
        return response

    return post


def assert_problem(response: Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert [error["field"] for error in response.json()["errors"]] == ["Idempotency-Key"]


def test_the_same_request_has_the_same_job(post: Callable[..., Response], backend: Backend) -> None:
    first, second = post(), post()

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert backend.queue.depth() == 1


def test_without_a_key_or_with_another_it_is_another_job(post: Callable[..., Response]) -> None:
    answers = [post(), post(key={}), post(key={}), post(key={"Idempotency-Key": "order-8"})]

    assert len({answer.json()["id"] for answer in answers}) == 4


def test_a_replay_shows_the_job_as_it_is_by_now(post: Callable[..., Response], finish: Callable[[str], object]) -> None:
    finish(post().json()["id"])
    replay = post()

    assert (replay.status_code, replay.json()["status"]) == (200, "succeeded")
    assert "Retry-After" not in replay.headers


def test_neither_order_nor_content_type_nor_defaults_make_another_request(
    post: Callable[..., Response], client: TestClient, image_png: bytes
) -> None:
    first = post(params={"budget": 64, "p": 0.5}, metadata={"a": "1", "b": "2"})
    text = {"caption": CAPTION, "params": '{"p": 0.5, "budget": 64}', "metadata": '{"b": "2", "a": "1"}'}
    for _ in range(2):  # with a new boundary each time
        form = client.post(URL, files={"image": image_png}, data={**text, "method": "fixlip"}, headers=KEY)
        assert form.json()["id"] == first.json()["id"]


@pytest.mark.parametrize(
    "changed",
    [
        {"caption": "another"},
        {"params": {"budget": 64}},
        {"params": {"seed": 1}},
        {"metadata": {"a": "1"}},
        {"method": "game"},
        {"model": "demo"},
        {"cache": "bypass"},
        {"image": base64.b64encode(b"other").decode()},
    ],
    ids=str,
)
def test_another_request_under_the_same_key_is_refused(
    post: Callable[..., Response], backend: Backend, changed: dict[str, Any]
) -> None:
    post()
    response = post(**changed)

    assert_problem(response, 422, "idempotency_mismatch")
    assert backend.queue.depth() == 1


def test_a_key_that_another_request_holds_is_free_when_that_has_died(
    post: Callable[..., Response], backend: Backend
) -> None:
    request = ExplanationRequest.model_validate({"image": b"x", "caption": "y"})
    backend.reservations.reserve("order-7", tenant="default", fingerprint=fingerprint_of(request))
    assert_problem(post(), 422, "idempotency_mismatch")

    backend.redis.hset(backend.redis.keys("fixlip:idempotency:*")[0], "held_until", 1)
    first = post()
    assert first.status_code == 202


def test_while_the_first_is_in_flight_the_second_is_told_to_come_again(
    post: Callable[..., Response], backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner: list[Response] = []
    add = BundleStore.add

    def slow(store: BundleStore, files: Any) -> Any:
        if not inner:
            inner.append(post())
        return add(store, files)

    monkeypatch.setattr(BundleStore, "add", slow)
    assert post().status_code == 202

    assert_problem(inner[0], 409, "idempotency_in_flight")
    assert inner[0].headers["Retry-After"] == "1"
    assert backend.queue.depth() == 1


@pytest.mark.parametrize("key", ["", "a b", "\N{SNOWMAN}".encode(), "x" * 256, "a\tb"], ids=repr)
def test_a_key_of_other_characters_is_refused(post: Callable[..., Response], backend: Backend, key: Any) -> None:
    assert_problem(post(key={"Idempotency-Key": key}), 400, "invalid_idempotency_key")
    assert backend.redis.keys("fixlip:idempotency:*") == []


def test_two_keys_are_none(client: TestClient, image_png: bytes) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION}, headers=headers)

    assert_problem(response, 400, "invalid_idempotency_key")


def test_the_longest_key_is_accepted(post: Callable[..., Response]) -> None:
    assert post(key={"Idempotency-Key": "~" * 255}).status_code == 202


def test_a_refused_request_leaves_its_key_as_it_was(post: Callable[..., Response], backend: Backend) -> None:
    for wrong in ({"caption": ""}, {"params": {"p": 2}}, {"model": "x"}, {"image": "eA=="}):
        assert post(**wrong).status_code in (415, 422)
        assert backend.redis.keys("fixlip:idempotency:*") == []

    assert post().status_code == 202


def test_what_was_removed_is_not_made_again(post: Callable[..., Response], client: TestClient) -> None:
    url = post().json()["urls"]["self"]
    assert client.post(f"{url}/cancel").status_code == 202
    assert client.delete(url).status_code == 204

    assert_problem(post(), 410, "idempotency_job_removed")


def test_a_lost_answer_of_redis_makes_neither_a_second_job_nor_a_ghost(
    post: Callable[..., Response], backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction is executed, and nobody tells: neither the first time nor the second."""
    create = JobRepository.create

    def mute(repository: JobRepository, *args: Any, **options: Any) -> bool:
        create(repository, *args, **options)
        raise redis.ConnectionError("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(JobRepository, "create", mute)
        assert post().status_code == 503
    replay = post()

    assert (replay.status_code, replay.headers["Idempotency-Replayed"]) == (202, "true")
    assert backend.queue.depth() == 1
    assert backend.redis.keys("fixlip:job:*") == [f"fixlip:job:{replay.json()['id']}".encode()]


def test_an_answer_that_is_lost_once_is_nobodys_business(
    post: Callable[..., Response], backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, calls = JobRepository.create, iter([True])

    def mute_once(repository: JobRepository, *args: Any, **options: Any) -> Row | None:
        created = create(repository, *args, **options)
        if next(calls, False):
            raise redis.TimeoutError("the answer was lost")
        return created

    monkeypatch.setattr(JobRepository, "create", mute_once)

    assert post(key={}).status_code == 202
    assert backend.queue.depth() == 1


def test_a_write_that_redis_refused_frees_the_key_for_a_new_try(
    post: Callable[..., Response], backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> bool:
        raise redis.ConnectionError("nobody is there")

    with monkeypatch.context() as patch:
        patch.setattr(JobRepository, "create", refuse)
        assert post().status_code == 503
    again = post()

    assert again.status_code == 202
    assert "Idempotency-Replayed" not in again.headers
    assert backend.queue.depth() == 1


def test_tenants_do_not_share_keys(backend: Backend) -> None:
    one, two = (backend.reservations.reserve("k", tenant=tenant, fingerprint="f") for tenant in ("a", "b"))

    assert one.job_id != two.job_id


def test_the_fingerprint_does_not_depend_on_order() -> None:
    def fingerprint(text: str) -> str:
        fields = json.loads(text) | {"image": b"x", "caption": "y"}
        return fingerprint_of(ExplanationRequest.model_validate(fields))

    one = fingerprint('{"params": {"a": {"b": 1, "c": [{"d": 1, "e": 2}]}}}')
    assert one == fingerprint('{"params": {"a": {"c": [{"e": 2, "d": 1}], "b": 1}}}')
    assert one != fingerprint('{"params": {"a": {"b": 1, "c": [{"d": 1, "e": 3}]}}}')
