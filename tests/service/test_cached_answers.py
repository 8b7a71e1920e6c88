from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from redis.exceptions import ConnectionError as RedisConnectionError

import service.questions
from fixlip_core.encoders.card import ModelCard
from service.backend import Backend
from service.jobs._keys import text
from service.jobs.records import Job, JobFailure, JobOutput
from service.jobs.repository import JobRepository

URL = "/v1/explanations"
CAPTION = "a red circle and a blue square"

Ask = Callable[..., Response]


@pytest.fixture
def ask(client: TestClient, image_png: bytes) -> Ask:
    """Submits a request that is the same each time, but for what is said."""

    def ask(*, image: bytes = image_png, headers: dict[str, str] | None = None, **fields: Any) -> Response:
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        data = {"caption": CAPTION, **texts}
        response: Response = client.post(URL, files={"image": image}, data=data, headers=headers)
        return response

    return ask


@pytest.fixture
def answered(ask: Ask, finish: Callable[[str], JobOutput]) -> dict[str, Any]:
    """The first job, which has succeeded."""
    finish(ask().json()["id"])
    job: dict[str, Any] = ask(headers={"Idempotency-Key": "look"}).json()
    return job


def test_the_same_question_is_answered_at_once(
    ask: Ask, client: TestClient, backend: Backend, finish: Callable[[str], JobOutput]
) -> None:
    first = ask(metadata={"run": "1"})
    assert (first.status_code, first.json()["cached"]) == (202, False)
    finish(first.json()["id"])
    original = client.get(first.headers["Location"]).json()

    second = ask(metadata={"run": "2"})
    job = second.json()

    assert (second.status_code, job["status"], job["cached"]) == (200, "succeeded", True)
    assert job["id"] != original["id"]
    assert job["metadata"] == {"run": "2"}
    assert (job["output"], job["progress"]) == (original["output"], original["progress"])
    assert job["metrics"] == {"queue_s": 0, "run_s": 0, "forward_passes": 0, "evaluation_passes": None}
    assert job["created_at"] <= job["started_at"] == job["completed_at"]
    assert job["expires_at"] > original["expires_at"]
    assert "Retry-After" not in second.headers
    assert client.get(second.headers["Location"]).json() == job
    assert backend.queue.depth() == 1  # the first


def test_the_answer_has_the_very_same_files(answered: dict[str, Any], client: TestClient, ask: Ask) -> None:
    job = ask().json()
    for name in ("result", "interactions_npz", "interactions_json"):
        one, other = client.get(answered["urls"][name]), client.get(job["urls"][name])
        assert (one.status_code, one.content, one.headers["ETag"]) == (200, other.content, other.headers["ETag"])
    for name, url in job["urls"]["maps"].items():
        assert client.get(url).content == client.get(answered["urls"]["maps"][name]).content


def test_they_remain_when_the_first_job_is_deleted(
    answered: dict[str, Any], client: TestClient, ask: Ask, backend: Backend
) -> None:
    job = ask().json()
    for one in client.get(URL).json()["items"]:
        if one["id"] != job["id"]:
            assert client.delete(one["urls"]["self"]).status_code == 204
    for digest, _ in backend.redis.zscan_iter("fixlip:unheld"):
        backend.redis.zadd("fixlip:unheld", {text(digest): 1})  # its grace is over
    backend.bundles.collect_garbage(most=10)

    assert client.get(job["urls"]["result"]).status_code == 200
    assert ask().json()["cached"]


def test_what_every_job_has_deleted_is_computed_again(
    answered: dict[str, Any], client: TestClient, ask: Ask, backend: Backend
) -> None:
    for one in client.get(URL).json()["items"]:
        assert client.delete(one["urls"]["self"]).status_code == 204

    assert ask().json()["status"] == "queued"


@pytest.mark.parametrize(
    "changed",
    [
        {"caption": "a red circle and a blue squares"},
        {"caption": CAPTION.upper()},
        {"params": {"seed": 1}},
        {"params": {"budget": 64}},
        {"params": {"regions": [[0, 1]]}},
        {"method": "grad_eclip"},
    ],
    ids=str,
)
def test_another_question_is_not(answered: dict[str, Any], ask: Ask, changed: dict[str, Any]) -> None:
    assert ask().json()["cached"]
    assert ask(**changed).json()["status"] == "queued"


def test_a_question_with_its_defaults_said_is_the_same(answered: dict[str, Any], ask: Ask) -> None:
    assert ask(method="fixlip", model="demo", params={"seed": 0, "p": 0.5, "order": 2}).json()["cached"]


def test_label_maps_are_part_of_the_question(ask: Ask, finish: Callable[[str], JobOutput]) -> None:
    finish(ask(params={"regions": [[0, 1]]}).json()["id"])

    assert ask(params={"regions": [[0, 1]]}).json()["cached"]
    assert not ask(params={"regions": [[1, 0]]}).json()["cached"]


def test_another_picture_or_file_is_another_question(answered: dict[str, Any], ask: Ask, image_png: bytes) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(image_png))).copy()
    pixels[0, 0, 0] ^= 1
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")

    assert ask(image=buffer.getvalue()).json()["status"] == "queued"
    # The results name the digest of the file, so they are those of this very file.
    assert ask(image=image_png + b"\n").json()["status"] == "queued"


@pytest.mark.parametrize("change", [{"weights_sha256": "fedc" * 16}, {"precision": "bf16"}], ids=str)
def test_other_weights_or_numbers_are_another_question(
    answered: dict[str, Any], ask: Ask, backend: Backend, card: ModelCard, change: dict[str, Any]
) -> None:
    backend.catalogue.announce(replace(card, **change).to_dict(), "w2", ttl_s=600)

    assert ask().json()["status"] == "queued"


def test_on_whichever_device_it_is_the_same_question(
    answered: dict[str, Any], ask: Ask, backend: Backend, card: ModelCard
) -> None:
    backend.catalogue.announce(replace(card, device="cuda:1").to_dict(), "w2", ttl_s=600)

    assert ask().json()["cached"]


def test_other_programs_give_other_answers(answered: dict[str, Any], ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.questions, "RESULTS_VERSION", -1)

    assert ask().json()["status"] == "queued"


def test_bypass_forces_the_work_whose_answer_is_then_the_one(
    answered: dict[str, Any], ask: Ask, finish: Callable[[str], JobOutput], backend: Backend
) -> None:
    forced = ask(cache="bypass").json()
    assert (forced["status"], forced["cached"]) == ("queued", False)
    assert ask().json()["cached"]  # the earlier answer is as good until then

    finish(forced["id"])
    (question,) = backend.redis.keys("fixlip:answers:*")
    assert backend.redis.zrevrange(question, 0, 0) == [forced["id"].encode()]


def test_another_word_than_these_is_refused(ask: Ask) -> None:
    response = ask(cache="maybe")

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["cache"]


def test_a_failed_job_answers_nobody(ask: Ask, backend: Backend) -> None:
    claim = backend.repository.claim(ask().json()["id"], "w1", ttl_s=60)
    assert claim is not None
    backend.repository.fail(claim.lease, JobFailure(code="x", detail="y"))

    assert ask().json()["status"] == "queued"


def test_under_a_key_there_is_one_cached_job(answered: dict[str, Any], ask: Ask) -> None:
    first, second = (ask(headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert first.json()["cached"]
    assert (first.json(), second.headers["Idempotency-Replayed"]) == (second.json(), "true")


def test_results_that_are_being_removed_at_this_moment_are_no_answer(
    answered: dict[str, Any], ask: Ask, backend: Backend
) -> None:
    """The last holder goes between the search for an answer and the claim to its results, and so do the results."""
    results = backend.repository.row(answered["id"]).books.results
    assert results is not None
    backend.redis.delete(f"fixlip:holders:{results.digest}")
    backend.redis.zadd("fixlip:unheld", {results.digest: 1})
    assert backend.bundles.collect_garbage(most=10) == 1

    job = ask().json()

    assert (job["status"], job["cached"]) == ("queued", False)


def test_a_lost_answer_of_redis_makes_no_second_job_and_no_error(
    ask: Ask, answered: dict[str, Any], backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = backend.redis.zcard("fixlip:tenant:default:jobs")
    create, calls = JobRepository.create, []

    def lose_first(self: JobRepository, job: Job, **fields: Any) -> Any:
        calls.append(create(self, job, **fields))
        if len(calls) == 1:
            raise RedisConnectionError("the answer is lost")
        return calls[-1]

    monkeypatch.setattr(JobRepository, "create", lose_first)
    response = ask()

    assert (response.status_code, response.json()["cached"]) == (200, True)
    assert [row is None for row in calls] == [False, True]
    assert backend.redis.zcard("fixlip:tenant:default:jobs") == before + 1
