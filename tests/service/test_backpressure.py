"""A full queue, and what is said of jobs that wait and run."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from service.access.quotas import Quotas
from service.backend import Backend
from service.jobs.rates import Pace, Rates
from service.jobs.records import JobOutput, JobProgress
from service.settings import ServiceSettings

URL = "/v1/explanations"
CAPTION = "a red circle and a blue square"
COST = 514
"""Passes of a job of the default budget."""


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    """Room for three jobs of the default budget."""
    return settings.model_copy(update={"max_queued_passes": 3 * COST})


@pytest.fixture
def ask(client: TestClient, image_png: bytes) -> Callable[..., Response]:
    """Submits."""

    def ask(**params: Any) -> Response:
        data = {"caption": CAPTION, "params": json.dumps(params)}
        response: Response = client.post(URL, files={"image": image_png}, data=data)
        return response

    return ask


@pytest.fixture
def working(backend: Backend) -> None:
    """The one worker has been measured: two slots, 51.4 passes a second."""
    pace = Pace(
        models=("demo",),
        slots=2,
        passes_per_s=COST / 10,
        device_passes_per_s=COST / 5,
        tail_s=1.0,
        tail_s_of={"fixlip": 1.0},
    )
    Rates(backend.redis).report("w1", pace, ttl_s=600)


def test_a_full_queue_refuses_until_there_is_room(
    ask: Callable[..., Response], backend: Backend, working: None
) -> None:
    accepted = [ask() for _ in range(3)]
    assert [response.status_code for response in accepted] == [202] * 3

    refused = ask()
    assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
    assert refused.headers["Retry-After"] == "10"
    assert f"{3 * COST:,} forward passes are waiting" in refused.json()["detail"]

    backend.repository.claim(accepted[0].json()["id"], "w1", ttl_s=60)
    assert ask().status_code == 202


def test_what_is_refused_leaves_nothing(ask: Callable[..., Response], backend: Backend) -> None:
    for _ in range(3):
        ask()
    before = set(backend.redis.keys())
    assert ask().status_code == 503

    assert set(backend.redis.keys()) == before


def test_small_jobs_still_find_room(ask: Callable[..., Response]) -> None:
    ask()
    ask()
    assert ask(budget=1024).status_code == 503
    assert ask(budget=64).status_code == 202


def test_an_empty_queue_takes_any_job(ask: Callable[..., Response], backend: Backend, client: TestClient) -> None:
    huge = ask(budget=1024, estimator="joint")
    assert huge.status_code == 202
    assert backend.estimator.queued_passes() > 3 * COST
    assert ask(budget=8).status_code == 503

    client.post(huge.json()["urls"]["cancel"])
    assert ask(budget=8).status_code == 202


def test_where_no_worker_was_measured_it_is_worth_a_try_in_half_a_minute(ask: Callable[..., Response]) -> None:
    for _ in range(3):
        ask()

    assert ask().headers["Retry-After"] == "30"


def test_earlier_answers_need_no_room(ask: Callable[..., Response], finish: Callable[[str], JobOutput]) -> None:
    finish(ask().json()["id"])
    for seed in (1, 2, 3):
        ask(seed=seed)

    assert ask(seed=4).status_code == 503
    assert ask().json()["cached"]


def test_many_at_once_overshoot_by_no_more_than_themselves(ask: Callable[..., Response], backend: Backend) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = [response.status_code for response in pool.map(lambda seed: ask(seed=seed), range(40))]

    assert statuses.count(202) + statuses.count(503) == 40
    assert 3 <= statuses.count(202) <= 3 + 7
    assert backend.estimator.queued_passes() == COST * statuses.count(202)


class TestCharges:
    @pytest.fixture
    def charged(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Passes that were charged, or given back."""
        moves: list[int] = []
        monkeypatch.setattr(Quotas, "charge_submission", lambda _, who, passes: moves.append(passes))
        monkeypatch.setattr(Quotas, "refund", lambda _, who, passes: moves.append(-passes))
        return moves

    def test_a_job_is_charged_for_its_passes(self, ask: Callable[..., Response], charged: list[int]) -> None:
        ask()
        assert charged == [COST]

    def test_what_is_refused_is_not(self, ask: Callable[..., Response], charged: list[int]) -> None:
        for _ in range(4):
            ask()
        assert charged == [COST] * 3

    def test_an_earlier_answer_is_free(
        self, ask: Callable[..., Response], finish: Callable[[str], JobOutput], charged: list[int]
    ) -> None:
        finish(ask().json()["id"])
        assert ask().json()["cached"]
        assert charged == [COST]

    def test_a_replay_is_free(self, client: TestClient, image_png: bytes, charged: list[int]) -> None:
        for _ in range(2):
            client.post(URL, files={"image": image_png}, data={"caption": CAPTION}, headers={"Idempotency-Key": "k"})
        assert charged == [COST]

    def test_what_could_not_be_stored_is_given_back(
        self, ask: Callable[..., Response], backend: Backend, charged: list[int]
    ) -> None:
        backend.redis.config_set("maxmemory", 1)
        try:
            assert ask().status_code == 503
        finally:
            backend.redis.config_set("maxmemory", 0)
        assert sum(charged) == 0


class TestBody:
    def test_it_says_when_a_job_will_begin_and_how_long_it_takes(
        self, ask: Callable[..., Response], client: TestClient, working: None
    ) -> None:
        jobs = [ask(seed=seed).json() for seed in range(3)]
        waits_s = [(instant(job["estimated_start"]) - instant(job["created_at"])).total_seconds() for job in jobs]

        # Two slots begin two at once, which are 5 s at their passes alone, and nearly twice as long together.
        assert waits_s == pytest.approx([0, 0, 10], abs=1.5)
        assert jobs[0]["estimated_duration_s"] == pytest.approx(5 + 1)
        assert client.get(jobs[2]["urls"]["self"]).json()["estimated_duration_s"] == pytest.approx(10, abs=0.5)

    def test_of_a_running_job_it_says_how_long(
        self, ask: Callable[..., Response], client: TestClient, backend: Backend, working: None
    ) -> None:
        url = ask().json()["urls"]["self"]
        claim = backend.repository.claim(url.rpartition("/")[2], "w1", ttl_s=60)
        assert claim is not None
        backend.repository.renew([claim.lease], ttl_s=60, progress={claim.lease: JobProgress(completed=1, total=2)})
        job = client.get(url).json()

        assert job["estimated_start"] is None
        assert job["estimated_duration_s"] == pytest.approx(5 / 2 + 1, abs=0.5)

    def test_of_an_ended_job_it_says_nothing(
        self,
        ask: Callable[..., Response],
        client: TestClient,
        finish: Callable[[str], JobOutput],
        working: None,
    ) -> None:
        url = ask().json()["urls"]["self"]
        finish(url.rpartition("/")[2])
        job = client.get(url).json()

        assert (job["estimated_start"], job["estimated_duration_s"]) == (None, None)

    def test_it_says_nothing_where_nobody_knows(self, ask: Callable[..., Response]) -> None:
        job = ask().json()

        assert (job["estimated_start"], job["estimated_duration_s"]) == (None, None)

    def test_a_list_says_the_same(self, ask: Callable[..., Response], client: TestClient, working: None) -> None:
        url = ask().json()["urls"]["self"]
        (listed,), job = client.get(URL).json()["items"], client.get(url).json()

        assert listed["estimated_duration_s"] == job["estimated_duration_s"] > 0
        waits = instant(listed["estimated_start"]) - instant(job["estimated_start"])
        assert abs(waits.total_seconds()) < 1

    def test_the_next_poll_is_due_when_there_may_be_news(
        self, client: TestClient, image_png: bytes, working: None
    ) -> None:
        answer = client.post(URL, files={"image": image_png}, data={"caption": CAPTION})

        assert answer.json()["estimated_duration_s"] == 6
        assert answer.headers["Retry-After"] == "2"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
