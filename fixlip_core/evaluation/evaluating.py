"""Judge one explanation by any of the metrics, with all its passes counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np

from fixlip_core.encoders.protocol import DualEncoder, ImageRemoval, TextRemoval
from fixlip_core.errors import UnsupportedModelError
from fixlip_core.evaluation.confidence import confidence
from fixlip_core.evaluation.costs import FAITHFULNESS_COALITIONS
from fixlip_core.evaluation.faithfulness import p_faithfulness
from fixlip_core.evaluation.insertion_deletion import Curves, InsertionDeletion, insertion_deletion
from fixlip_core.evaluation.intervals import Interval
from fixlip_core.evaluation.metrics import EVALUATION_METRICS, Score, check_metrics, evaluation_cost
from fixlip_core.evaluation.sanity import randomised_rank_correlation
from fixlip_core.explanation import Explanation
from fixlip_core.methods import MethodCost, Progress
from fixlip_core.methods.meter import Meter
from fixlip_core.types import Coalitions, Embeddings, ImageArray, ImageInput

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the metrics say of an explanation.

    Attributes:
        scores: every figure of every metric that was asked for, in that order.
        image_passes: forward passes of the image tower that the metrics took, apart from the explanation's.
        text_passes: forward passes of the text tower, likewise.
        curves: the insertion and deletion curves behind ``aid``; None where it was not asked for.
    """

    scores: tuple[Score, ...]
    image_passes: int
    text_passes: int
    curves: InsertionDeletion | None = None


def evaluate(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    explanation: Explanation,
    metrics: Sequence[str],
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Judge ``explanation`` by some of :data:`.metrics.EVALUATION_METRICS`.

    A figure that the explanation has no values for is nan, and its note says why. Every metric draws from a stream of
    its own, so that a figure does not depend on which others were asked for.

    Args:
        encoder: the model that was explained, or a batcher's face to it.
        image: the image that was explained.
        caption: the caption that was explained.
        explanation: what to judge.
        metrics: names, each once.
        seed: of what the metrics draw: same seed, same figures.
        progress: called between batches with (completed, total) forward passes of all the metrics together, total
            being the most that it can be; what it raises stops the work.

    Raises:
        UnknownMetricError: there is no metric of a name.
        InvalidParameterError: a name comes twice, or the explanation belongs to another pair, or a value of it is nan.
    """
    check_metrics(metrics)
    meter = Meter(progress)
    explained = MethodCost(explanation.image_passes, explanation.text_passes)
    cost = evaluation_cost(metrics, explained, explanation.n_image, explanation.n_text)
    meter.total = cost.image_passes + cost.text_passes
    subject = _Subject(_CountingEncoder(encoder, meter), encoder.view(image), caption, explanation, seed)
    scores = tuple(score for name in metrics for score in _RUNS[name](subject))
    meter.complete()
    return Evaluation(
        scores=scores,
        image_passes=subject.encoder.image_passes,
        text_passes=subject.encoder.text_passes,
        curves=subject.curves,
    )


class _CountingEncoder:
    """An encoder that counts its rows; in all else it is the other one.

    Args:
        encoder: the other one.
        meter: to be told of passes as they are made.
    """

    def __init__(self, encoder: DualEncoder, meter: Meter) -> None:
        self.inner = encoder
        self.meter = meter
        self.image_passes = 0
        self.text_passes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        embeddings = self.inner.encode_images(image, coalitions, removal=removal)
        self.image_passes += len(coalitions)
        self.meter.advance(len(coalitions))
        return embeddings

    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "mask") -> Embeddings:
        embeddings = self.inner.encode_texts(caption, coalitions, removal=removal)
        self.text_passes += len(coalitions)
        self.meter.advance(len(coalitions))
        return embeddings


@dataclass(slots=True, eq=False)
class _Subject:
    """What is judged, and by which encoder."""

    encoder: _CountingEncoder
    view: ImageArray
    caption: str
    explanation: Explanation
    seed: int
    curves: InsertionDeletion | None = None

    @property
    def explained(self) -> tuple[DualEncoder, ImageArray, str, Explanation]:
        """The arguments that every metric begins with. The view of a view is itself."""
        return cast("DualEncoder", self.encoder), self.view, self.caption, self.explanation


_NO_SCALE: Final = "{} shares the score out on a scale of its own and predicts no values, so it has no R2"
_CONSTANT: Final = "the values that were compared are constant"
_FIRST_ORDER: Final = "{} has values of players alone, none of pairs"
_NO_RISE: Final = "v(full) equals v(empty), so the curves cannot be normalised"
_FLIPPED: Final = "v(full) < v(empty) turns the curves over: their area, {:.4g}, must not be averaged with others"


def _faithfulness(subject: _Subject) -> list[Score]:
    found = p_faithfulness(*subject.explained, n_coalitions=FAITHFULNESS_COALITIONS, seed=subject.seed)
    additive = subject.explanation.additive
    no_r2 = _CONSTANT if additive else _NO_SCALE.format(subject.explanation.index)
    return [
        _score("faithfulness", "r2", found.r2, no_r2, interval=found.r2_interval),
        _score("faithfulness", "pearson", found.pearson, _CONSTANT, interval=found.pearson_interval),
        _score("faithfulness", "spearman", found.spearman, _CONSTANT, interval=found.spearman_interval),
    ]


def _aid(subject: _Subject) -> list[Score]:
    found = subject.curves = insertion_deletion(*subject.explained)
    curves = {"first_order": found.first_order, "second_order": found.second_order}
    return [_area(name, of_order, found, subject.explanation.index) for name, of_order in curves.items()]


def _area(name: str, curves: Curves | None, found: InsertionDeletion, index: str) -> Score:
    """The area of one order; of curves that are turned over, none: whoever takes means must not meet it unawares."""
    if curves is None:
        return _score("aid", name, float("nan"), _FIRST_ORDER.format(index))
    if not found.flipped:
        return _score("aid", name, curves.area, _NO_RISE)
    level = found.full_value == found.empty_value
    return _score("aid", name, float("nan"), _NO_RISE if level else _FLIPPED.format(curves.area))


def _confidence(subject: _Subject) -> list[Score]:
    found = confidence(*subject.explained)
    flat, single = "all image players have the same value", "a single text player has no half to be left"
    return [
        _score("confidence", "image_drop", found.image_drop, flat),
        _score("confidence", "image_increase", found.image_increase, flat),
        _score("confidence", "text_drop", found.text_drop, single),
        _score("confidence", "text_increase", found.text_increase, single),
    ]


def _sanity(subject: _Subject) -> list[Score]:
    encoder = subject.encoder
    told = 0

    def advance(completed: int, total: int) -> None:
        nonlocal told
        encoder.meter.advance(completed - told)
        told = completed

    try:
        found = randomised_rank_correlation(
            encoder.inner, subject.view, subject.caption, subject.explanation, seed=subject.seed, progress=advance
        )
    except UnsupportedModelError as error:
        return [_score("sanity", "rank_correlation", float("nan"), str(error))]
    encoder.image_passes += found.image_passes
    encoder.text_passes += found.text_passes
    return [_score("sanity", "rank_correlation", found.rank_correlation, "too few values, or all of them equal")]


_RUNS: Mapping[str, Callable[[_Subject], list[Score]]] = {
    "faithfulness": _faithfulness,
    "aid": _aid,
    "confidence": _confidence,
    "sanity": _sanity,
}


def _score(metric: str, name: str, value: float, why_none: str, *, interval: Interval | None = None) -> Score:
    """The figure; where it is nan, with the reason."""
    (spec,) = (spec for spec in EVALUATION_METRICS[metric].scores if spec.name == name)
    return Score(metric, name, value, interval, spec.higher_is_better, why_none if np.isnan(value) else None)
