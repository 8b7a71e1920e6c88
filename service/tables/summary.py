"""A batch's scores in a few figures: of each way to explain, and of every two of them on the same pairs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import to_json

from service.jobs.batches.records import BatchItem, BatchRow, BatchStatus, ItemStatus
from service.jobs.records import JobScore, MaybeFloat

if TYPE_CHECKING:
    from fixlip_core.evaluation.intervals import Interval

__all__ = ["MAX_COMPARED", "BatchSummary", "ComparisonView", "ScoreSummaryView", "WayView", "summarise_batch"]

MAX_COMPARED: Final = 12
"""Ways that are compared with each other."""

_SEED: Final = "seed"


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class WayView(_View):
    """A way to explain: a model, a method and its parameters; seeds are repetitions of the same way."""

    way: int = Field(description="Its number, by which the other parts name it.")
    model: str
    method: str
    params: dict[str, JsonValue] = Field(description="The method's parameters in full, but for `seed`.")
    succeeded: int = Field(description="Explanations that there are.")
    failed: int = Field(description="Those that have ended otherwise.")
    mean_forward_passes: MaybeFloat = Field(description="Of those that no earlier result has answered; null for none.")
    mean_run_s: MaybeFloat = Field(description="Likewise, seconds.")


class ScoreSummaryView(_View):
    """A score of a way to explain, over pairs; where a pair was explained several times, its mean counts."""

    way: int
    metric: str
    score: str
    higher_is_better: bool
    n: int = Field(description="Pairs that have the score.")
    n_missing: int = Field(description="Pairs that were explained and have none.")
    mean: MaybeFloat
    std_error: MaybeFloat
    ci_low: MaybeFloat = Field(description="Lower end of the mean's 95 % bootstrap interval; null for less than 2.")
    ci_high: MaybeFloat


class ComparisonView(_View):
    """Two ways to explain, by a score, on the pairs for which both have it."""

    a: int = Field(description="The one way.")
    b: int = Field(description="The other.")
    metric: str
    score: str
    n: int
    wins: int = Field(description="Pairs for which a is better.")
    losses: int = Field(description="Pairs for which b is.")
    ties: int
    mean_difference: MaybeFloat = Field(description="Of a's score less b's.")
    ci_low: MaybeFloat = Field(description="Lower end of its 95 % bootstrap interval over pairs.")
    ci_high: MaybeFloat
    p_value: MaybeFloat = Field(description="Of Wilcoxon's signed-rank test.")


class BatchSummary(_View):
    """What a batch has found, over all its pairs."""

    batch_id: str
    status: BatchStatus = Field(description="Where the batch stands: while it runs, this is of what has ended.")
    ways: list[WayView]
    scores: list[ScoreSummaryView]
    comparisons: list[ComparisonView] = Field(description=f"Of the first {MAX_COMPARED} ways.")


_Score = tuple[str, str]


@dataclass(slots=True)
class _Way:
    """What is gathered of a way to explain."""

    model: str
    method: str
    params: dict[str, JsonValue]
    succeeded: int = 0
    failed: int = 0
    passes: list[int] = field(default_factory=list)
    run_s: list[float] = field(default_factory=list)
    values: defaultdict[_Score, defaultdict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def of_pairs(self, score: _Score) -> dict[str, float]:
        """The score of each pair, nan where it has none."""
        return {pair_id: sum(values) / len(values) for pair_id, values in self.values[score].items()}


class _Gathered:
    def __init__(self) -> None:
        self.ways: list[_Way] = []
        self.is_higher_better: dict[_Score, bool] = {}
        self._places: dict[tuple[str, str, bytes], _Way] = {}

    def add(self, row: BatchRow) -> None:
        """Note what became of an item."""
        way, job = self._way(row.item), row.job
        if row.status is not ItemStatus.SUCCEEDED or job is None or job.output is None:
            way.failed += 1
            return
        way.succeeded += 1
        if not job.cached and job.metrics.forward_passes is not None and job.metrics.run_s is not None:
            way.passes.append(job.metrics.forward_passes)
            way.run_s.append(job.metrics.run_s)
        for score in job.output.evaluation:
            self._add_score(way, row.item.pair_id, score)

    def _way(self, item: BatchItem) -> _Way:
        params = {name: value for name, value in item.params.items() if name != _SEED}
        key = (item.model.id, item.method, to_json(dict(sorted(params.items()))))
        if key not in self._places:
            self._places[key] = _Way(item.model.id, item.method, params)
            self.ways.append(self._places[key])
        return self._places[key]

    def _add_score(self, way: _Way, pair_id: str, score: JobScore) -> None:
        name = (score.metric, score.name)
        self.is_higher_better[name] = score.higher_is_better
        way.values[name][pair_id].append(math.nan if score.value is None else score.value)


def summarise_batch(batch_id: str, status: BatchStatus, pages: Iterable[list[BatchRow]]) -> BatchSummary:
    """The summary of the items that have ended; the same for the same results.

    Args:
        batch_id: the batch.
        status: where it stands.
        pages: the items.
    """
    gathered = _Gathered()
    for rows in pages:
        for row in rows:
            gathered.add(row)
    return BatchSummary(
        batch_id=batch_id,
        status=status,
        ways=[_way_view(number, way) for number, way in enumerate(gathered.ways)],
        scores=[
            _score_view(number, way, score, higher_is_better=gathered.is_higher_better[score])
            for number, way in enumerate(gathered.ways)
            for score in gathered.is_higher_better
            if score in way.values
        ],
        comparisons=_comparisons(gathered),
    )


def _way_view(number: int, way: _Way) -> WayView:
    return WayView(
        way=number,
        model=way.model,
        method=way.method,
        params=way.params,
        succeeded=way.succeeded,
        failed=way.failed,
        mean_forward_passes=sum(way.passes) / len(way.passes) if way.passes else None,
        mean_run_s=sum(way.run_s) / len(way.run_s) if way.run_s else None,
    )


def _score_view(number: int, way: _Way, score: _Score, *, higher_is_better: bool) -> ScoreSummaryView:
    # NumPy is not worth its time to a process that nobody asks for this.
    from fixlip_core.evaluation.statistics import summarise

    found = summarise(list(way.of_pairs(score).values()))
    low, high = _ends(found.interval)
    return ScoreSummaryView(
        way=number,
        metric=score[0],
        score=score[1],
        higher_is_better=higher_is_better,
        n=found.n,
        n_missing=found.n_missing,
        mean=found.mean,
        std_error=found.std_error,
        ci_low=low,
        ci_high=high,
    )


def _comparisons(gathered: _Gathered) -> list[ComparisonView]:
    ways = list(enumerate(gathered.ways[:MAX_COMPARED]))
    return [
        _comparison(a, b, score, higher_is_better=higher_is_better)
        for a, b in combinations(ways, 2)
        for score, higher_is_better in gathered.is_higher_better.items()
        if score in a[1].values and score in b[1].values
    ]


def _comparison(a: tuple[int, _Way], b: tuple[int, _Way], score: _Score, *, higher_is_better: bool) -> ComparisonView:
    from fixlip_core.evaluation.statistics import compare_paired

    of_a, of_b = a[1].of_pairs(score), b[1].of_pairs(score)
    pairs = sorted(of_a.keys() & of_b.keys())
    found = compare_paired(
        [of_a[pair] for pair in pairs], [of_b[pair] for pair in pairs], higher_is_better=higher_is_better
    )
    low, high = _ends(found.interval)
    return ComparisonView(
        a=a[0],
        b=b[0],
        metric=score[0],
        score=score[1],
        n=found.n,
        wins=found.wins,
        losses=found.losses,
        ties=found.ties,
        mean_difference=found.mean_difference,
        ci_low=low,
        ci_high=high,
        p_value=found.p_value,
    )


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
