"""p-faithfulness (FIxLIP, arXiv 2508.05430): how well an explanation predicts the game on fresh coalitions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy import stats

from fixlip_core.coalitions import sample_product
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import InvalidParameterError, NotAdditiveError
from fixlip_core.explanation import Explanation
from fixlip_core.game import SimilarityGame
from fixlip_core.types import FloatArray, ImageInput

if TYPE_CHECKING:
    from fixlip_core.encoders.protocol import ImageRemoval, TextRemoval

__all__ = ["Faithfulness", "compare_predictions", "p_faithfulness"]

# Mixed into the caller's seed, so that coalitions of the evaluation are never those of a fit with the same seed.
_EVALUATION_STREAM = 0x6661697468


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Agreement of predicted and true values: ``r2`` = 1 - SSE / SST, ``pearson`` and ``spearman`` correlations."""

    r2: float
    pearson: float
    spearman: float
    n_coalitions: int


def p_faithfulness(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    explanation: Explanation,
    *,
    n_coalitions: int = 2_000,
    p: float | None = None,
    seed: int = 0,
) -> Faithfulness:
    """Judge ``explanation`` on fresh joint coalitions of the p-product measure.

    The game is the one that was explained: its regions, words and removals are taken from the explanation.

    Args:
        encoder: the model that was explained.
        image: the image that was explained.
        caption: the caption that was explained.
        explanation: what to judge.
        n_coalitions: how many coalitions; each costs a pass of each tower.
        p: probability of presence; by default the one that was fitted (a Shapley index has none).
        seed: draws the coalitions, from a stream of its own.

    Raises:
        InvalidParameterError: the explanation belongs to other players, or p is not known or not in (0, 1).
        NotAdditiveError: the explanation does not model the game's values.
    """
    if not explanation.additive:
        raise NotAdditiveError(f"{explanation.index} is no model of the game, so it has no faithfulness")
    measure = explanation.p if p is None else p
    if np.isnan(measure):
        raise InvalidParameterError(f"{explanation.index} belongs to no p of its own: pass p=", field="p")
    if not 0 < measure < 1:
        raise InvalidParameterError(f"p must lie in (0, 1), not {measure!r}", field="p")
    game = _game_of(encoder, image, caption, explanation)
    rng = np.random.default_rng([_EVALUATION_STREAM, seed])
    # Not in complementary pairs: the figures' spread over seeds should be that of independent draws.
    coalitions = sample_product(explanation.n_players, n_coalitions, measure, rng, complementary=False).coalitions
    predicted = explanation.predict(coalitions)
    return compare_predictions(game.value(coalitions), predicted)


def _game_of(encoder: DualEncoder, image: ImageInput, caption: str, explanation: Explanation) -> SimilarityGame:
    """The game of ``explanation``, its players included."""
    made = explanation.provenance
    game = SimilarityGame.of(
        encoder,
        image,
        caption,
        score=explanation.score,
        image_removal=cast("ImageRemoval", made.get("image_removal") or "zero"),
        text_removal=cast("TextRemoval | None", made.get("text_removal")),
        text_players=str(made.get("text_players") or "token"),
    )
    if (game.players.grid, game.players.tokens) != (explanation.grid, explanation.tokens):
        raise InvalidParameterError("the explanation belongs to other players than this pair has", field="explanation")
    return replace(game, players=explanation.players)


def compare_predictions(truth: FloatArray, predicted: FloatArray) -> Faithfulness:
    """Faithfulness of (m,) predicted to (m,) true values. A constant side has no correlation: nan."""
    total = float(np.sum((truth - truth.mean()) ** 2))
    r2 = 1 - float(np.sum((truth - predicted) ** 2)) / total if total > 0 else float("nan")
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return Faithfulness(r2, float("nan"), float("nan"), len(truth))
    pearson, spearman = stats.pearsonr(truth, predicted).statistic, stats.spearmanr(truth, predicted).statistic
    return Faithfulness(r2, float(pearson), float(spearman), len(truth))
