"""The client asks for what the contract has, and knows every member of what it answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fixlip.client import _operations as operations
from fixlip.client import models
from fixlip.client._files import files_of, interactions
from fixlip.client._operations import Operation
from fixlip.client._submissions import Submission, submit
from tests.support.scripted_service import JOB

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "openapi" / "openapi.json").read_text(encoding="utf-8")
)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

ANSWERS: dict[type[BaseModel], str] = {
    models.FieldError: "FieldError",
    models.ModelRef: "JobModel",
    models.Input: "JobInput",
    models.Progress: "JobProgress",
    models.Metrics: "JobMetrics",
    models.Failure: "JobFailure",
    models.WebhookState: "JobWebhook",
    models.JobMap: "MapInfo",
    models.TopPlayer: "TopPlayer",
    models.TopInteraction: "TopInteraction",
    models.Score: "JobScore",
    models.Outcome: "JobOutput",
    models.Result: "JobResult",
    models.Job: "ExplanationJob",
    models.JobPage: "ExplanationList",
    models.Upload: "Upload",
    models.Model: "ModelView",
    models.MethodCost: "MethodCostView",
    models.Method: "MethodView",
    models.MetricScore: "MetricScoreView",
    models.Metric: "MetricView",
    models.Quota: "QuotaView",
}

OPERATIONS: list[Operation[Any]] = [
    submit({"caption": "", "image": b""}),
    operations.get("id"),
    operations.look("id"),
    operations.page("", status="queued"),
    operations.cancel("id"),
    operations.delete("id"),
    operations.result("id"),
    operations.audit("id"),
    operations.report("id", pairs=False),
    operations.report_html("id"),
    operations.view("id"),
    operations.upload("image", b""),
    operations.get_upload("id"),
    operations.delete_upload("id"),
    operations.models(),
    operations.methods(),
    operations.method("id"),
    operations.metrics(),
    operations.quotas(),
    interactions("id"),
]


def has(method: str, path: str) -> bool:
    """Whether the contract has such an operation."""
    routes = {re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)): verbs for route, verbs in DOCUMENT["paths"].items()}
    return any(re.fullmatch(route, path) and method.lower() in verbs for route, verbs in routes.items())


@pytest.mark.parametrize("model", ANSWERS, ids=lambda model: model.__name__)
def test_every_member_is_known(model: type[BaseModel]) -> None:
    schema = SCHEMAS[ANSWERS[model]]
    assert model.model_fields.keys() == schema["properties"].keys()
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    assert needed <= set(schema["required"])


def test_links_that_are_used_are_there() -> None:
    assert models.Links.model_fields.keys() <= SCHEMAS["ExplanationUrls"]["properties"].keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_every_operation_is_there(operation: Operation[Any]) -> None:
    assert has(operation.method, operation.path)


def test_events_and_files_are_there() -> None:
    job = models.Job.model_validate(
        {**JOB, "urls": {"maps": {"graph": ""}, "maps_svg": {"graph": ""}, "evaluation": ""}}
    )
    paths = [operations.events_path(job), *files_of(job).values()]
    assert [path for path in paths if not has("GET", path)] == []
    assert not has("GET", operations.path_of("id", "gone"))


def test_every_field_of_a_submission_is_there() -> None:
    body = DOCUMENT["paths"]["/v1/explanations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = set(Submission.__annotations__) - {"wait_s", "idempotency_key"}
    properties = SCHEMAS[body["$ref"].rpartition("/")[2]]["properties"] if "$ref" in body else body["properties"]
    assert fields == properties.keys()
