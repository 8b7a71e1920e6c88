"""``evaluate`` of a request, from the request to the answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.metrics import EVALUATION_METRICS
from fixlip_core.methods import METHODS
from service.backend import Backend
from service.evaluations import check_evaluation_cost
from service.jobs.records import JobOutput

URL = "/v1/explanations"
CAPTION = "a red circle and a blue square"
UNITS = (64, 8)

Ask = Callable[..., Response]


@pytest.fixture
def ask(client: TestClient, image_png: bytes) -> Ask:
    """Submits in JSON what is the same each time, but for what is said."""

    def ask(*, key: str | None = None, **fields: Any) -> Response:
        body = {"image": base64.b64encode(image_png).decode(), "caption": CAPTION, **fields}
        response: Response = client.post(URL, json=body, headers={"Idempotency-Key": key} if key else {})
        return response

    return ask


def cost(metrics: list[str], method: str = "fixlip", *, max_budget: int = 65_536, **params: Any) -> int:
    spec = METHODS[method]
    checked = spec.parameters(**params).model_dump(mode="json")
    return check_evaluation_cost(metrics, spec, checked, UNITS, max_budget=max_budget)


def test_a_job_says_what_it_is_judged_by(ask: Ask) -> None:
    job = ask(evaluate=["aid", "faithfulness"]).json()
    assert job["evaluate"] == ["faithfulness", "aid"]  # in the order of the catalogue
    assert job["urls"]["evaluation"] == f"{URL}/{job['id']}/evaluation.json"
    plain = ask().json()
    assert (plain["evaluate"], plain["urls"]["evaluation"]) == ([], None)


def test_a_form_has_it_once_for_each_metric(client: TestClient, image_png: bytes) -> None:
    data = {"caption": CAPTION, "evaluate": ["aid", "sanity"]}
    assert client.post(URL, files={"image": image_png}, data=data).json()["evaluate"] == ["aid", "sanity"]


@pytest.mark.parametrize(
    ("evaluate", "code", "message"),
    [
        (["aid", "beauty"], "unknown_metric", "metric 'beauty' is unknown; known metrics: faithfulness, aid, "),
        (["aid", "aid"], "invalid_parameter", "metric 'aid' is asked for twice"),
        ("aid", "invalid_request", "valid list"),
        ([1], "invalid_request", "valid string"),
    ],
)
def test_what_is_no_list_of_metrics_is_refused(
    ask: Ask, evaluate: Any, code: str, message: str, assert_nothing_left: Callable[[], None]
) -> None:
    response = ask(evaluate=evaluate)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, code)
    assert problem["errors"][0]["field"].startswith("evaluate")
    assert message in problem["errors"][0]["message"]
    assert_nothing_left()


def test_passes_are_part_of_the_cost(ask: Ask, backend: Backend) -> None:
    plain, judged = (
        backend.repository.row(ask(evaluate=evaluate).json()["id"]).books.cost_passes
        for evaluate in ([], ["faithfulness"])
    )
    assert (
        judged - plain
        == EVALUATION_METRICS["faithfulness"]
        .cost(METHODS["fixlip"].cost(METHODS["fixlip"].parameters(), 64, 7), 64, 7)
        .passes
    )


def test_costs_add_up() -> None:
    assert cost([]) == 0
    assert cost(["aid", "confidence"]) == cost(["aid"]) + cost(["confidence"]) > cost(["confidence"]) > 0
    assert cost(["sanity"], budget=256) < cost(["sanity"], budget=512)


def test_a_metric_may_not_cost_more_than_a_method() -> None:
    faithfulness = cost(["faithfulness"])
    most = faithfulness // 2
    assert cost(["faithfulness"], max_budget=most) == faithfulness
    with pytest.raises(InvalidParameterError, match=f"metric 'faithfulness' takes up to {faithfulness:,} ") as caught:
        cost(["aid", "faithfulness"], max_budget=most - 1)
    assert (caught.value.field, caught.value.code) == ("evaluate", "budget_too_large")


def test_other_metrics_are_another_question(ask: Ask, finish: Callable[[str], JobOutput]) -> None:
    finish(ask(evaluate=["aid", "confidence"]).json()["id"])
    again = ask(evaluate=["confidence", "aid"]).json()
    assert (again["cached"], again["metrics"]["evaluation_passes"]) == (True, 0)
    assert not ask(evaluate=["aid"]).json()["cached"]
    assert not ask().json()["cached"]


def test_a_key_stands_for_one_list_of_metrics(ask: Ask) -> None:
    first = ask(key="k", evaluate=["aid", "confidence"]).json()
    assert ask(key="k", evaluate=["confidence", "aid"]).json()["id"] == first["id"]
    other = ask(key="k", evaluate=["aid"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_the_evaluation_is_served(client: TestClient, ask: Ask, finish: Callable[..., JobOutput]) -> None:
    job = ask(evaluate=["aid"]).json()
    early = client.get(job["urls"]["evaluation"])
    assert (early.status_code, early.json()["code"]) == (409, "result_not_ready")
    document = json.dumps({"evaluate": ["aid"]}).encode()
    finish(job["id"], {"evaluation.json": document})
    response = client.get(job["urls"]["evaluation"])
    assert (response.status_code, response.content) == (200, document)
    assert "immutable" in response.headers["Cache-Control"]


def test_of_a_job_that_is_not_judged_there_is_none(client: TestClient, ask: Ask, finish: Callable[..., Any]) -> None:
    job_id = ask().json()["id"]
    finish(job_id)
    response = client.get(f"{URL}/{job_id}/evaluation.json")
    assert (response.status_code, response.json()["code"]) == (404, "not_evaluated")


def test_metrics_are_listed_with_their_scores_and_cost(client: TestClient) -> None:
    items = client.get("/v1/metrics").json()["items"]
    assert [item["name"] for item in items] == list(EVALUATION_METRICS)
    for item, spec in zip(items, EVALUATION_METRICS.values(), strict=True):
        assert (item["title"], item["needs"]) == (spec.title, spec.needs)
        assert item["source"] == f"https://arxiv.org/abs/{spec.source}"
        assert [score["name"] for score in item["scores"]] == [score.name for score in spec.scores]
        assert item["cost"]["image_passes"] > 0
