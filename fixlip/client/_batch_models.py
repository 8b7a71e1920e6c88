"""What the service answers about batches, typed. Members that this version does not know are left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from fixlip.client.models import Failure, WebhookState

__all__ = ["Batch", "BatchCounts", "BatchPage", "BatchSummary", "ScoreSummary", "Way", "WayComparison"]

_OPEN: Final = frozenset({"queued", "running"})


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class BatchCounts(_Answer):
    """How many items of a batch stand where."""

    total: int
    queued: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0

    @property
    def ended(self) -> int:
        """Those that have ended, however."""
        return self.completed + self.failed + self.canceled


class Batch(_Answer):
    """A batch as it stood when the service answered."""

    id: str
    status: str
    request_counts: BatchCounts
    error: Failure | None = None
    retries: int = 0
    created_at: datetime
    started_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    metadata: dict[str, str] = {}
    webhook: WebhookState | None = None
    request_id: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether every item has ended."""
        return self.status not in _OPEN


class BatchPage(_Answer):
    """Some batches of a list, the newest first."""

    items: tuple[Batch, ...]
    next_page_token: str | None = None


class Way(_Answer):
    """A way to explain: a model, a method and its parameters but for ``seed``."""

    way: int
    model: str
    method: str
    params: dict[str, Any] = {}
    succeeded: int
    failed: int
    mean_forward_passes: float | None = None
    mean_run_s: float | None = None


class ScoreSummary(_Answer):
    """A score of a way to explain, over pairs; the interval is of the mean."""

    way: int
    metric: str
    score: str
    higher_is_better: bool
    n: int
    n_missing: int = 0
    mean: float | None = None
    std_error: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


class WayComparison(_Answer):
    """Two ways to explain on the same pairs; the difference is ``a``'s score less ``b``'s."""

    a: int
    b: int
    metric: str
    score: str
    n: int
    wins: int
    losses: int
    ties: int
    mean_difference: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None


class BatchSummary(_Answer):
    """What a batch has found, over all its pairs."""

    batch_id: str
    status: str
    ways: tuple[Way, ...] = ()
    scores: tuple[ScoreSummary, ...] = ()
    comparisons: tuple[WayComparison, ...] = ()
