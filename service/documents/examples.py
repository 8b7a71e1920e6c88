"""Answers as examples, made by the very types that answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel

from fixlip_core.encoders.card import ModelCard
from fixlip_core.evaluation.metrics import EVALUATION_METRICS
from fixlip_core.methods import METHODS
from service.documents.audit_example import audit_example
from service.documents.batch_examples import batch_examples
from service.documents.comparison_example import comparison_example
from service.documents.report_example import report_example
from service.documents.request_body import EXAMPLE_CAPTION
from service.jobs.evaluations import EvaluationCurves, EvaluationSubsets, InsertionDeletionCurves, JobEvaluation
from service.jobs.records import (
    Job,
    JobFailure,
    JobInput,
    JobMetrics,
    JobModel,
    JobOutput,
    JobProgress,
    JobResult,
    JobScore,
    JobStatus,
    MapInfo,
    TopInteraction,
    TopPlayer,
)
from service.jobs.uploads import Upload
from service.views import (
    ExplanationJob,
    ExplanationList,
    Health,
    MethodList,
    MethodView,
    MetricList,
    MetricView,
    ModelList,
    ModelView,
    NewWebhookSecret,
    QuotaList,
    QuotaView,
    WebhookSecretList,
    WebhookSecretView,
)

__all__ = ["ended_job", "response_examples"]

_AT: Final = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
_ID: Final = "0f8b6a5d4c3e4f1a9b2c7d6e5f4a3b2c"
_METHOD: Final = "fixlip"
_BASE: Final = "/v1/explanations"
_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SECRET: Final = WebhookSecretView(id="whs_5d4c3e4f1a9b2c7d6e5f4a3b", created_at=_AT)
_EVALUATE: Final = ("faithfulness", "aid")
_AREAS: Final = {"metric": "aid", "higher_is_better": True}
_SCORES: Final = (
    JobScore(metric="faithfulness", name="r2", value=0.96, ci_low=0.95, ci_high=0.97, higher_is_better=True),
    JobScore(**_AREAS, name="first_order", value=0.5),
    JobScore(**_AREAS, name="second_order", value=0.625),
)
_OUTPUT: Final[dict[str, Any]] = {
    "index": "WFBII",
    "order": 2,
    "tokens": ("red", "circle"),
    "grid": (1, 2),
    "empty_value": 3.5,
    "full_value": 21.25,
    "baseline": 3.75,
    "estimated_r2": 0.97,
    "image_passes": 512,
    "text_passes": 4,
    "maps": (MapInfo(name="first-order", title="Main effects of patches and words"),),
    "top_players": (TopPlayer(label="circle", player=3, value=6.5),),
    "top_interactions": (TopInteraction(labels=("r0c1", "circle"), players=(1, 3), value=4.25, std_error=0.125),),
    "evaluation": _SCORES,
}
_PARAMS: Final[dict[str, Any]] = {"p": 0.5, "budget": 512, "seed": 0}
_CARD: Final = ModelCard(
    id="demo",
    weights_sha256="0123456789abcdef" * 4,
    family="clip",
    embed_dim=128,
    grid=(8, 8),
    image_size_px=(128, 128),
    context_length=40,
    n_marks=2,
    tokenizer="clip-bpe",
    attention=True,
    logit_scale=100.0,
    logit_bias=0.0,
    precision="fp32",
    device="cpu",
)


def _job(status: JobStatus, **fields: Any) -> dict[str, Any]:
    return _plain(ExplanationJob.of(_record(status, **fields), base=_BASE))


def _record(status: JobStatus, **fields: Any) -> Job:
    return Job(
        id=_ID,
        status=status,
        model=JobModel(id=_CARD.id, revision=_CARD.revision),
        method=_METHOD,
        params=_PARAMS,
        input=JobInput(image_sha256=_SHA256, caption=EXAMPLE_CAPTION),
        evaluate=_EVALUATE,
        created_at=_AT,
        request_id="8f14e45fceea467f9a1c6b0b6d2f2f5e",
        **fields,
    )


def _plain(body: BaseModel) -> dict[str, Any]:
    return body.model_dump(mode="json")


def ended_job(status: str) -> dict[str, Any]:
    """A job that ended so, as the API shows it."""
    ended: dict[str, Any] = {"completed_at": _AT.replace(second=3), "expires_at": _AT.replace(day=9, second=3)}
    if status == JobStatus.SUCCEEDED:
        done = JobProgress(completed=1052, total=1052)
        metrics = JobMetrics(queue_s=0.5, run_s=2.5, forward_passes=516, evaluation_passes=536)
        ended |= {"started_at": _AT, "attempt": 1, "progress": done, "metrics": metrics, "output": JobOutput(**_OUTPUT)}
    if status == JobStatus.FAILED:
        ended["error"] = JobFailure(code="caption_too_long", detail="the caption has 41 tokens; the model takes 38")
    return _job(JobStatus(status), **ended)


def _result() -> dict[str, Any]:
    result = JobResult(
        **_OUTPUT,
        model=JobModel(id=_CARD.id, revision=_CARD.revision),
        method=_METHOD,
        params=_PARAMS,
        input=JobInput(image_sha256=_SHA256, caption=EXAMPLE_CAPTION),
        provenance={"seed": 0, "device": "cpu", "dtype": "float32"},
    )
    return _plain(result)


def _evaluation() -> dict[str, Any]:
    curves = {
        area: EvaluationCurves(most_first=(1.0, middle, 0.0), least_first=(1.0, 1.0, 0.0), area=area)
        for area, middle in ((0.5, 0.0), (0.625, -0.25))
    }
    sizes: dict[str, Any] = {"greatest": ((), (3,), (1, 3)), "least": ((), (0,), (0, 2))}
    found = InsertionDeletionCurves(
        removed=(0.0, 0.5, 1.0),
        first_order=curves[0.5],
        second_order=curves[0.625],
        subsets=EvaluationSubsets(**sizes, greatest_values=(0.0, 6.5, 11.0), least_values=(0.0, 0.25, 0.5)),
        empty_value=3.5,
        full_value=21.25,
        flipped=False,
    )
    return _plain(
        JobEvaluation(
            evaluate=_EVALUATE, seed=0, scores=_SCORES, image_passes=528, text_passes=8, insertion_deletion=found
        )
    )


def _quotas() -> dict[str, Any]:
    requests = QuotaView(name="requests_per_min", limit=600, used=12, window_s=60, resets_in_s=41)
    stored = QuotaView(name="stored_bytes", limit=None, used=None, window_s=None, resets_in_s=None)
    return _plain(QuotaList(tenant="default", items=[requests, stored]))


def response_examples(operation_id: str) -> dict[str, dict[str, Any]]:
    """What an operation answers in JSON when all goes well, by status; nothing where that is no JSON of ours."""
    queued, succeeded = _job(JobStatus.QUEUED), ended_job(JobStatus.SUCCEEDED)
    page = ExplanationList.model_validate({"items": [succeeded], "next_page_token": None})
    image = Upload(
        id=f"img_{_ID}",
        sha256=_SHA256,
        width=640,
        height=480,
        bytes=61_440,
        created_at=_AT,
        expires_at=_AT.replace(day=3),
    )
    secret = NewWebhookSecret(**dict(_SECRET), secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    method = MethodView.of(METHODS[_METHOD])
    checks: dict[str, Any] = dict.fromkeys(("redis", "storage", "workers"), "ok")
    examples: dict[str, dict[str, Any]] = {
        "createExplanation": {"200": succeeded, "202": queued},
        "listExplanations": {"200": _plain(page)},
        "getExplanation": {"200": succeeded},
        "cancelExplanation": {"202": _job(JobStatus.CANCELED, cancel_requested_at=_AT, completed_at=_AT)},
        "getExplanationResult": {"200": _result()},
        "getReport": {"200": report_example(_record(JobStatus.SUCCEEDED, output=JobOutput(**_OUTPUT)))},
        "getEvaluation": {"200": _evaluation()},
        "getAuditRecord": {"200": audit_example(_record(JobStatus.SUCCEEDED), _CARD, JobOutput(**_OUTPUT))},
        "getComparison": {"200": comparison_example(_record(JobStatus.SUCCEEDED, output=JobOutput(**_OUTPUT)))},
        **batch_examples(),
        "createImage": {"201": _plain(image)},
        "getImage": {"200": _plain(image)},
        "listModels": {"200": _plain(ModelList(items=[ModelView.of(_CARD, workers=1)]))},
        "listMethods": {"200": _plain(MethodList(items=[method]))},
        "getMethod": {"200": _plain(method)},
        "listMetrics": {"200": _plain(MetricList(items=[MetricView.of(EVALUATION_METRICS[_EVALUATE[0]])]))},
        "listQuotas": {"200": _quotas()},
        "createWebhookSecret": {"201": _plain(secret)},
        "listWebhookSecrets": {"200": _plain(WebhookSecretList(items=[_SECRET]))},
        "getLiveness": {"200": _plain(Health())},
        "getReadiness": {"200": _plain(Health(checks=checks))},
    }
    return examples.get(operation_id, {})
