"""FIxLIP-p (arXiv 2508.05430): the most faithful second-order account under the p-product measure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from fixlip_core.coalitions import CoalitionSample, enumerate_product, sample_product
from fixlip_core.defaults import MAX_ENUMERATED_PLAYERS, MAX_SAMPLED_TEXT_PASSES, MIN_TEXT_PASSES
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.estimators.basis import to_additive
from fixlip_core.estimators.factored import fit_gaussian_processes
from fixlip_core.estimators.least_squares import fit_least_squares
from fixlip_core.estimators.tower import TowerSample
from fixlip_core.explanation import Explanation
from fixlip_core.game import SimilarityGame
from fixlip_core.methods.parameters import FixlipParameters
from fixlip_core.types import FloatArray, ImageInput

if TYPE_CHECKING:
    from fixlip_core.methods.spec import Progress

__all__ = ["PassPlan", "plan_passes", "run"]

_ESTIMATORS = {"gp": fit_gaussian_processes, "least_squares": fit_least_squares}
# The empty and the full coalition, once through each tower, for v(empty) and v(full).
_END_POINTS = 2


@dataclass(frozen=True, slots=True)
class PassPlan:
    """How many coalitions each tower passes, and whether those are all there are."""

    image_passes: int
    text_passes: int
    image_enumerated: bool
    text_enumerated: bool

    @property
    def total(self) -> int:
        """All forward passes, those of the empty and the full coalition included."""
        return self.image_passes + self.text_passes + 2 * _END_POINTS


def plan_passes(
    n_patches: int, n_tokens: int, *, budget: int, text_cost: float, shares_prefixes: bool = False
) -> PassPlan:
    """Split the work between the towers.

    The text is enumerated, and its coefficients exact, while that takes no more multiplications than the image passes;
    otherwise as many text coalitions are drawn as those buy, within limits.

    Args:
        n_patches: image players.
        n_tokens: text players.
        budget: image passes.
        text_cost: cost of one text position relative to an image pass.
        shares_prefixes: whether equal beginnings of text coalitions are computed once.
    """
    affordable = max(int(budget / (text_cost * (n_tokens + 2))), MIN_TEXT_PASSES)
    positions_each = 2 if shares_prefixes else n_tokens + 2
    enumerable = max(int(budget / (text_cost * positions_each)), MIN_TEXT_PASSES)
    text_enumerated = n_tokens <= MAX_ENUMERATED_PLAYERS and 2**n_tokens <= enumerable
    image_enumerated = n_patches <= MAX_ENUMERATED_PLAYERS and 2**n_patches <= budget
    return PassPlan(
        image_passes=2**n_patches if image_enumerated else budget,
        text_passes=2**n_tokens if text_enumerated else min(affordable, MAX_SAMPLED_TEXT_PASSES),
        image_enumerated=image_enumerated,
        text_enumerated=text_enumerated,
    )


def run(
    encoder: DualEncoder, image: ImageInput, caption: str, parameters: FixlipParameters, progress: Progress | None
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`."""
    p, order = parameters.p, parameters.order
    completed, total = 0, 0

    def count(passes: int) -> None:
        nonlocal completed
        completed += passes
        if progress is not None:
            progress(completed, total)

    game = SimilarityGame.of(encoder, image, caption, score=parameters.score, on_passes=count)
    players = game.players
    plan = plan_passes(
        players.n_patches,
        players.n_tokens,
        budget=parameters.budget,
        text_cost=encoder.text_cost,
        shares_prefixes=encoder.shares_prefixes,
    )
    total = plan.total
    empty_value, full_value = game.empty_and_full()
    image_rng, text_rng = (np.random.default_rng([parameters.seed, stream]) for stream in (0, 1))
    text_sample = _sample(players.n_tokens, plan.text_passes, p, text_rng, plan.text_enumerated)
    image_sample = _sample(players.n_patches, plan.image_passes, p, image_rng, plan.image_enumerated)
    text = _tower(text_sample, game.text_embeddings(text_sample.coalitions), _line(players.n_tokens))
    images = _tower(image_sample, game.image_embeddings(image_sample.coalitions), _plane(players.grid))
    fit = _ESTIMATORS[parameters.estimator](images, text, scale=game.scale, bias=game.bias, order=order)
    values = to_additive(fit.coefficients, p, order=order)
    return Explanation(
        tokens=players.tokens,
        grid=players.grid,
        baseline=values.baseline,
        first=values.first,
        second=values.second,
        first_std_error=fit.first_std_error,
        second_std_error=fit.second_std_error,
        empty_value=empty_value,
        full_value=full_value,
        estimated_r2=fit.estimated_r2,
        method="fixlip",
        index="WFBII" if order == 2 else "WBV",
        order=order,
        p=p,
        score=parameters.score,
        image_passes=plan.image_passes + _END_POINTS,
        text_passes=plan.text_passes + _END_POINTS,
        provenance=_provenance(game, parameters),
    )


def _sample(n: int, m: int, p: float, rng: np.random.Generator, enumerated: bool) -> CoalitionSample:
    return enumerate_product(n, p) if enumerated else sample_product(n, m, p, rng)


def _tower(sample: CoalitionSample, embeddings: FloatArray, places: FloatArray) -> TowerSample:
    return TowerSample(sample, embeddings.astype(np.float64), places)


def _line(n_tokens: int) -> FloatArray:
    """(n, 1) places of tokens."""
    return np.arange(n_tokens, dtype=np.float64)[:, None]


def _plane(grid: tuple[int, int]) -> FloatArray:
    """(n, 2) places of patches, row-major."""
    return np.stack(np.divmod(np.arange(grid[0] * grid[1]), grid[1]), axis=1).astype(np.float64)


def _provenance(game: SimilarityGame, parameters: FixlipParameters) -> dict[str, str | int | float | None]:
    """What the values depend on: enough to compute them again."""
    card = game.encoder.card
    packages = ("fixlip", "numpy", "scipy", "torch", "open_clip_torch")
    return {
        "model": card.id,
        "model_revision": card.revision,
        "precision": card.precision,
        "device": card.device,
        "caption": game.caption,
        "view_sha256": hashlib.sha256(game.view.tobytes()).hexdigest(),
        "seed": parameters.seed,
        "budget": parameters.budget,
        "estimator": parameters.estimator,
        **{f"version_{name}": _version(name) for name in packages},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
