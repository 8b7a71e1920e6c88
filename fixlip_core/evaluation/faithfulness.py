"""p-faithfulness (FIxLIP, arXiv 2508.05430): how well an explanation predicts the game on fresh coalitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fixlip_core.coalitions import sample_product
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.agreement import pearson, r2, spearman
from fixlip_core.evaluation.explained import explained_game
from fixlip_core.evaluation.intervals import Interval, Statistic, bootstrap_interval
from fixlip_core.explanation import Explanation
from fixlip_core.types import FloatArray, ImageInput

__all__ = ["Faithfulness", "compare_predictions", "p_faithfulness"]

# Mixed into the caller's seed, so that coalitions of the evaluation are never those of a fit with the same seed.
_EVALUATION_STREAM = 0x6661697468


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Agreement of predicted and true values.

    Attributes:
        r2: 1 - SSE / SST; nan for attributions, which have no scale to predict on, and for a constant truth.
        pearson: correlation; nan where either side is constant.
        spearman: rank correlation; nan likewise.
        n_coalitions: how many values were compared.
        r2_interval: 95 % bootstrap interval over the coalitions; None where ``r2`` is nan.
        pearson_interval: likewise.
        spearman_interval: likewise.
    """

    r2: float
    pearson: float
    spearman: float
    n_coalitions: int
    r2_interval: Interval | None = None
    pearson_interval: Interval | None = None
    spearman_interval: Interval | None = None


def p_faithfulness(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    explanation: Explanation,
    *,
    n_coalitions: int = 2_000,
    p: float | None = None,
    seed: int = 0,
    on_passes: Callable[[int], None] = lambda _: None,
) -> Faithfulness:
    """Judge ``explanation`` on fresh joint coalitions of the p-product measure.

    The game is the one that was explained: its regions, words and removals are taken from the explanation. What is
    compared with v(M) is the sum of the values e_S over S in M. The draw weighs coalitions by p already; they count
    equally. Attributions (GAME, Grad-ECLIP, exCLIP and so on) share a score out on a scale of their own: of them only
    the correlations are told, and R^2 is nan.

    Args:
        encoder: the model that was explained.
        image: the image that was explained.
        caption: the caption that was explained.
        explanation: what to judge.
        n_coalitions: how many coalitions; each costs a pass of each tower.
        p: probability of presence; by default the one that was fitted, or 1/2 where none was.
        seed: draws the coalitions, from a stream of its own, and the bootstrap's resamples.
        on_passes: called with the number of passes after each batch; what it raises stops the evaluation.

    Raises:
        InvalidParameterError: the explanation belongs to other players, has no value for some, or p is not in (0, 1).
    """
    measure = p if p is not None else 0.5 if np.isnan(explanation.p) else explanation.p
    if not 0 < measure < 1:
        raise InvalidParameterError(f"p must lie in (0, 1), not {measure!r}", field="p")
    game = explained_game(encoder, image, caption, explanation, on_passes=on_passes)
    rng = np.random.default_rng([_EVALUATION_STREAM, seed])
    # Not in complementary pairs: the figures' spread over seeds should be that of independent draws.
    coalitions = sample_product(explanation.n_players, n_coalitions, measure, rng, complementary=False).coalitions
    predicted = explanation.attributed(coalitions)
    if not np.isfinite(predicted).all():
        raise InvalidParameterError("the explanation has no value for some players or pairs", field="explanation")
    if explanation.additive:
        return compare_predictions(game.value(coalitions), explanation.baseline + predicted, seed=seed)
    agreement = compare_predictions(game.value(coalitions), predicted, seed=seed)
    return replace(agreement, r2=float("nan"), r2_interval=None)


def compare_predictions(truth: FloatArray, predicted: FloatArray, *, seed: int = 0) -> Faithfulness:
    """Faithfulness of (m,) predicted to (m,) true values.

    Args:
        truth: what the game gives.
        predicted: what the explanation says, of the same coalitions.
        seed: draws the bootstrap's resamples, which are the same for all three figures.
    """
    all_rows = np.ones((1, len(truth)))

    def figure(statistic: Statistic) -> tuple[float, Interval | None]:
        value = float(statistic(all_rows, truth, predicted)[0])
        return value, bootstrap_interval(statistic, truth, predicted, seed=seed)

    (of_r2, r2_interval), (of_pearson, pearson_interval), (of_spearman, spearman_interval) = map(
        figure, (r2, pearson, spearman)
    )
    return Faithfulness(of_r2, of_pearson, of_spearman, len(truth), r2_interval, pearson_interval, spearman_interval)
