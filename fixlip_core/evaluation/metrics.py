"""The evaluation metrics by the names that requests ask for them: what each is, gives and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fixlip_core.errors import InvalidParameterError, UnknownMetricError
from fixlip_core.evaluation import costs
from fixlip_core.evaluation.costs import EvaluationCost, MetricCost
from fixlip_core.evaluation.intervals import Interval
from fixlip_core.methods.costs import MethodCost

__all__ = ["EVALUATION_METRICS", "MetricSpec", "Score", "ScoreSpec", "check_metrics", "evaluation_cost"]


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of one explanation.

    Attributes:
        metric: name of the metric.
        name: which of its figures.
        value: the figure; nan where the explanation has none.
        interval: 95 % confidence interval; None where the metric knows none.
        higher_is_better: whether the greater value is the better one.
        note: why there is no value; None: there is one.
    """

    metric: str
    name: str
    value: float
    interval: Interval | None
    higher_is_better: bool
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreSpec:
    """A figure that a metric gives: its name, one line for people, and which way is better."""

    name: str
    title: str
    higher_is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """A metric that judges any explanation by the model alone.

    Attributes:
        name: the word by which callers ask for it.
        title: one line for people.
        source: arXiv number of the paper that it is taken from.
        needs: one line for people: what it takes from an explanation, and which have no value.
        scores: the figures that it gives, in order.
        estimate: what :meth:`cost` asks.
    """

    name: str
    title: str
    source: str
    needs: str
    scores: tuple[ScoreSpec, ...]
    estimate: MetricCost

    def cost(self, explained: MethodCost, n_image: int, n_text: int) -> EvaluationCost:
        """Most passes that it takes.

        Args:
            explained: passes of the explanation.
            n_image: image players.
            n_text: text players.
        """
        return self.estimate(explained, n_image, n_text)


_SPECS = (
    MetricSpec(
        name="faithfulness",
        title="p-faithfulness: how well the explanation predicts the model on fresh coalitions",
        source="2508.05430",
        needs="Values that add up. What predicts no values in the score's unit has correlations, but no R2.",
        scores=(
            ScoreSpec("r2", "R2 = 1 - SSE / SST", higher_is_better=True),
            ScoreSpec("pearson", "Pearson's correlation", higher_is_better=True),
            ScoreSpec("spearman", "Spearman's rank correlation", higher_is_better=True),
        ),
        estimate=costs.cost_of_faithfulness,
    ),
    MetricSpec(
        name="aid",
        title="Area between the insertion and deletion curves",
        source="2508.05430",
        needs="A ranking of the players; for the second order, values of pairs; v(full) above v(empty).",
        scores=(
            ScoreSpec("first_order", "Area, players dropped one after another", higher_is_better=True),
            ScoreSpec("second_order", "Area, best and worst subsets of every size", higher_is_better=True),
        ),
        estimate=costs.cost_of_aid,
    ),
    MetricSpec(
        name="confidence",
        title="Confidence drop and increase: the cosine of what the explanation keeps",
        source="2312.17174",
        needs="Image players that differ in value; at least two text players.",
        scores=(
            ScoreSpec("image_drop", "Drop of the cosine when the picture is multiplied by its map", False),
            ScoreSpec("image_increase", "1 where the cosine rises instead, else 0", higher_is_better=True),
            ScoreSpec("text_drop", "Drop of the cosine when the better half of the caption is left", False),
            ScoreSpec("text_increase", "1 where the cosine rises instead, else 0", higher_is_better=True),
        ),
        estimate=costs.cost_of_confidence,
    ),
    MetricSpec(
        name="sanity",
        title="Sanity check: a model of random weights must be explained in another way",
        source="1810.03292",
        needs="A model whose weights can be drawn anew.",
        scores=(ScoreSpec("rank_correlation", "Spearman's, of the absolute values under both; 0 is best", False),),
        estimate=costs.cost_of_sanity,
    ),
)

EVALUATION_METRICS: Mapping[str, MetricSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})


def check_metrics(names: Sequence[str]) -> tuple[MetricSpec, ...]:
    """The metrics of these names, in their order.

    Raises:
        UnknownMetricError: there is none of a name; the message lists those there are.
        InvalidParameterError: a name comes twice.
    """
    for place, name in enumerate(names):
        if name not in EVALUATION_METRICS:
            known = ", ".join(EVALUATION_METRICS)
            raise UnknownMetricError(f"metric {name!r} is unknown; known metrics: {known}", field=f"evaluate.{place}")
        if name in names[:place]:
            raise InvalidParameterError(f"metric {name!r} is asked for twice", field=f"evaluate.{place}")
    return tuple(EVALUATION_METRICS[name] for name in names)


def evaluation_cost(names: Sequence[str], explained: MethodCost, n_image: int, n_text: int) -> EvaluationCost:
    """Most passes that an evaluation by these metrics takes.

    Args:
        names: the metrics.
        explained: passes of the explanation, as :meth:`fixlip_core.methods.MethodSpec.cost` estimates them.
        n_image: image players.
        n_text: text players.

    Returns:
        The passes. Where ``explained`` does not know its text passes, neither does the sanity check, whose count as 0.

    Raises:
        UnknownMetricError: there is no metric of a name.
        InvalidParameterError: a name comes twice.
    """
    return sum((spec.cost(explained, n_image, n_text) for spec in check_metrics(names)), start=EvaluationCost(0, 0))
