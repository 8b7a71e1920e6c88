"""The metrics that a request wants its explanation judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, JsonValue

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.metrics import EVALUATION_METRICS, check_metrics
from fixlip_core.methods import MethodSpec

__all__ = ["Evaluate", "check_evaluation_cost"]

# Of `max_budget` passes of the image tower, as methods without a budget may take them.
_TOWERS: Final = 2


def _known(names: list[str]) -> list[str]:
    """The names in the order of the metrics: whoever asks for the same asks the same question."""
    check_metrics(names)
    return [name for name in EVALUATION_METRICS if name in names]


Evaluate: TypeAlias = Annotated[
    list[str],
    AfterValidator(_known),
    Field(
        description="Metrics that judge the explanation once it is there, of `GET /v1/metrics`; their passes are "
        "counted apart.",
        json_schema_extra={"items": {"type": "string", "enum": list(EVALUATION_METRICS)}, "uniqueItems": True},
    ),
]
"""A field of requests: names of metrics, each once."""


def check_evaluation_cost(
    metrics: Sequence[str],
    spec: MethodSpec,
    params: Mapping[str, JsonValue],
    units: tuple[int, int],
    *,
    max_budget: int,
) -> int:
    """How many passes the metrics cost at most, forwards and backwards together.

    Args:
        metrics: their names.
        spec: the method that explains.
        params: its parameters in full.
        units: patches and tokens of the pair.
        max_budget: most passes of one tower that may be asked for.

    Raises:
        InvalidParameterError: one of them costs more than a budget of ``max_budget`` may.
    """
    explained = spec.cost(spec.parameters.model_validate(params), *units)
    total, most = 0, _TOWERS * max_budget
    for metric in check_metrics(metrics):
        passes = metric.cost(explained, *units).passes
        if passes > most:
            raise InvalidParameterError(
                f"metric {metric.name!r} takes up to {passes:,} passes here; this service accepts at most {most:,}",
                field="evaluate",
                code="budget_too_large",
            )
        total += passes
    return total
