"""FIxLIP (arXiv 2508.05430): the most faithful account of a pair's similarity by its players and their pairs.

Weighted Banzhaf (every player present with probability p) or Shapley.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixlip_core.explanation import Explanation
from fixlip_core.game import SimilarityGame
from fixlip_core.methods.meter import Meter
from fixlip_core.methods.parameters import FixlipParameters
from fixlip_core.methods.provenance import provenance
from fixlip_core.methods.solving import Solution, solve

if TYPE_CHECKING:
    from fixlip_core.encoders.protocol import DualEncoder
    from fixlip_core.methods.spec import Progress
    from fixlip_core.types import ImageInput

__all__ = ["run"]

_INDICES = {(1, "banzhaf"): "WBV", (2, "banzhaf"): "WFBII", (1, "shapley"): "SV", (2, "shapley"): "FSII"}


def run(
    encoder: DualEncoder, image: ImageInput, caption: str, parameters: FixlipParameters, progress: Progress | None
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`."""
    meter = Meter(progress)
    game = SimilarityGame.of(
        encoder,
        image,
        caption,
        score=parameters.score,
        image_removal=parameters.image_removal,
        text_removal=parameters.text_removal,
        regions=parameters.regions,
        boxes=parameters.boxes,
        text_players=parameters.text_players,
        on_passes=meter.advance,
    )
    solution = solve(game, parameters, meter)
    meter.complete()
    return _explanation(game, parameters, solution)


def _explanation(game: SimilarityGame, parameters: FixlipParameters, solution: Solution) -> Explanation:
    fit, ends, is_shapley = solution.fit, solution.ends, parameters.index == "shapley"
    return Explanation(
        tokens=game.players.tokens,
        grid=game.players.grid,
        regions=game.players.regions,
        region_labels=game.players.region_labels,
        baseline=fit.values.baseline,
        first=fit.values.first,
        second=fit.values.second,
        first_std_error=fit.first_std_error,
        second_std_error=fit.second_std_error,
        empty_value=ends.empty_value,
        full_value=ends.full_value,
        estimated_r2=fit.estimated_r2,
        method="fixlip",
        index=_INDICES[parameters.order, parameters.index],
        order=parameters.order,
        p=float("nan") if is_shapley else parameters.p,
        score=parameters.score,
        image_passes=solution.image_passes,
        text_passes=solution.text_passes,
        provenance=provenance(
            game,
            seed=parameters.seed,
            budget=parameters.budget,
            estimator=parameters.estimator,
            text_players=parameters.text_players,
            image_removal=game.image_removal,
            text_removal=game.text_removal,
            **solution.notes,
        ),
    )
