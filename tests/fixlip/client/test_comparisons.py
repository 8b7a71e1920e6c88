from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from fixlip.client import Client, ConflictError, Job, _comparisons
from tests.fixlip.client.conftest import Connect
from tests.support.jobs import png
from tests.support.scripted_service import ScriptedService, problem

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[3] / "openapi" / "openapi.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
ANSWERS: dict[type[BaseModel], str] = {
    _comparisons.Agreement: "AgreementView",
    _comparisons.ComparedExplanation: "ComparedExplanation",
    _comparisons.CommonPlayers: "CommonPlayers",
    _comparisons.Frame: "FrameView",
    _comparisons.GreatestValues: "GreatestValues",
    _comparisons.Comparison: "ExplanationComparisonView",
}


@pytest.mark.parametrize("model", ANSWERS, ids=lambda model: model.__name__)
def test_every_member_is_known(model: type[BaseModel]) -> None:
    schema = SCHEMAS[ANSWERS[model]]
    assert model.model_fields.keys() == schema["properties"].keys() - {"urls"}
    assert {name for name, field in model.model_fields.items() if field.is_required()} <= set(schema["required"])


def test_every_operation_is_there() -> None:
    paths = [_comparisons.comparison(["a", "b"]).path]
    paths += [_comparisons.comparison_figure(["a", "b"], kind=kind).path for kind in get_args(_comparisons.FigureKind)]
    assert all("get" in DOCUMENT["paths"][path] for path in paths)
    names = {parameter["name"] for parameter in DOCUMENT["paths"]["/v1/comparisons"]["get"]["parameters"]}
    assert _comparisons.comparison(["a", "b"], with_pairs=True).query.keys() == names


@pytest.fixture(scope="module")
def jobs(service_url: str) -> list[Job]:
    """Two jobs of one pair."""
    params = {"budget": 64, "order": 2}
    with Client(service_url) as client:
        submitted = [client.submit(image=png(), caption="a red circle", params={**params, "p": p}) for p in (0.4, 0.6)]
        return [client.wait(job) for job in submitted]


def test_a_comparison_of_a_real_service(connect: Connect, service_url: str, jobs: list[Job]) -> None:
    client = connect(service_url)
    comparison = client.compare(jobs, with_pairs=True)
    assert [explanation.id for explanation in comparison.explanations] == [job.id for job in jobs]
    assert comparison.players.tokens == ("a", "red", "circle")
    pairs = comparison.explanations[0].pairs
    assert pairs is not None
    assert (len(pairs), len(pairs[0])) == (16, 3)
    assert [agreement.part for agreement in comparison.agreements] == ["image", "text", "pairs"]
    assert client.compare([job.id for job in jobs]).explanations[0].pairs is None


def test_a_figure_of_a_real_service(connect: Connect, service_url: str, jobs: list[Job]) -> None:
    assert connect(service_url).comparison_figure(jobs, kind="svg").startswith(b"<svg")


def test_a_job_without_a_result(client: Client, service: ScriptedService) -> None:
    service.will(problem(409, "result_not_ready", job_status="running"))
    with pytest.raises(ConflictError) as caught:
        client.compare(["0" * 32, "1" * 32])
    assert (caught.value.code, caught.value.job_status) == ("result_not_ready", "running")
    assert service.requests[0].path == f"/v1/comparisons?explanations={'0' * 32}%2C{'1' * 32}"
