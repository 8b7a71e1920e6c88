"""Answers about batches as examples, made by the very types that answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from service.batches.views import BATCHES, BatchList, BatchView
from service.jobs.batches.records import Batch, BatchCounts, BatchStatus
from service.jobs.records import JobFailure
from service.tables.summary import BatchSummary, ComparisonView, ScoreSummaryView, WayView

__all__ = ["batch_examples", "ended_batch"]

_AT: Final = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
_ID: Final = "7c6e5f4a3b2c0f8b6a5d4c3e4f1a9b2d"
_ENDED: Final[dict[str, Any]] = {"started_at": _AT, "completed_at": _AT.replace(minute=31)}
_SCORE: Final[dict[str, Any]] = {"metric": "faithfulness", "score": "pearson"}


def batch_examples() -> dict[str, dict[str, Any]]:
    """What each operation answers in JSON when all goes well, by status."""
    queued = _batch(BatchStatus.QUEUED, queued=4)
    running = _batch(BatchStatus.RUNNING, queued=1, running=2, completed=1, started_at=_AT)
    done = _batch(BatchStatus.SUCCEEDED, completed=3, failed=1, **_ENDED)
    stopping = _batch(BatchStatus.RUNNING, running=1, completed=1, canceled=2, started_at=_AT, cancel_requested_at=_AT)
    page = BatchList(items=[done], next_page_token=None)
    return {
        "createBatch": {"202": queued.model_dump(mode="json")},
        "listBatches": {"200": page.model_dump(mode="json")},
        "getBatch": {"200": running.model_dump(mode="json")},
        "cancelBatch": {"202": stopping.model_dump(mode="json")},
        "retryBatch": {"202": _batch(BatchStatus.RUNNING, queued=1, completed=3, retries=1).model_dump(mode="json")},
        "getBatchSummary": {"200": _summary().model_dump(mode="json")},
    }


def ended_batch(status: str) -> dict[str, Any]:
    """A batch that ended so, as the API shows it."""
    counts: dict[str, dict[str, Any]] = {
        "succeeded": {"completed": 3, "failed": 1},
        "failed": {
            "completed": 1,
            "failed": 3,
            "error": JobFailure(code="batch_items_lost", detail="what the batch asks for can no longer be read"),
        },
        "canceled": {"completed": 1, "canceled": 3, "cancel_requested_at": _AT},
    }
    return _batch(BatchStatus(status), **counts[status], **_ENDED).model_dump(mode="json")


def _batch(status: BatchStatus, **changes: Any) -> BatchView:
    counts = {name: changes.pop(name, 0) for name in BatchCounts.model_fields if name != "total"}
    request_counts = BatchCounts(total=sum(counts.values()), **counts)
    return BatchView.of(
        Batch(id=_ID, status=status, request_counts=request_counts, created_at=_AT, **changes), base=BATCHES
    )


def _summary() -> BatchSummary:
    done: dict[str, Any] = {"model": "demo", "succeeded": 2, "failed": 0}
    ways = [
        WayView(way=0, method="fixlip", params={"budget": 256}, mean_forward_passes=260.0, mean_run_s=1.25, **done),
        WayView(way=1, method="grad_eclip", params={}, mean_forward_passes=8.0, mean_run_s=0.25, **done),
    ]
    scores = [
        ScoreSummaryView(
            way=way,
            higher_is_better=True,
            n=2,
            n_missing=0,
            mean=mean,
            std_error=0.015625,
            ci_low=mean - 0.03125,
            ci_high=mean + 0.03125,
            **_SCORE,
        )
        for way, mean in ((0, 0.96875), (1, 0.5))
    ]
    compared = ComparisonView(
        a=0,
        b=1,
        n=2,
        wins=2,
        losses=0,
        ties=0,
        mean_difference=0.46875,
        ci_low=0.4375,
        ci_high=0.5,
        p_value=0.5,
        **_SCORE,
    )
    return BatchSummary(batch_id=_ID, status=BatchStatus.SUCCEEDED, ways=ways, scores=scores, comparisons=[compared])
