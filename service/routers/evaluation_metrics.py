"""The metrics that judge explanations."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from fixlip_core.evaluation.metrics import EVALUATION_METRICS
from service.access.required import Reader
from service.routers._responses import problems
from service.views import MetricList, MetricView

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/metrics", tags=["catalogue"])


@router.get(
    "",
    operation_id="listMetrics",
    summary="List the metrics",
    response_description="Every metric that `evaluate` of a request may name.",
    responses=problems({}),
)
def list_metrics(_: Reader) -> MetricList:
    """Metrics with the scores that they give, what they need of an explanation, and what they cost in passes."""
    return MetricList(items=[MetricView.of(spec) for spec in EVALUATION_METRICS.values()])
