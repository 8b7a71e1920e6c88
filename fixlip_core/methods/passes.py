"""How FIxLIP splits its passes between the towers, and the passes themselves, which may grow in rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from fixlip_core.coalitions import CoalitionSample, enumerate_product
from fixlip_core.defaults import MAX_ENUMERATED_PLAYERS, MAX_SAMPLED_TEXT_PASSES, MIN_TEXT_PASSES, TEXT_SHARE
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.tower import TowerSample
from fixlip_core.game import SimilarityGame
from fixlip_core.types import Coalitions, Embeddings, FloatArray

__all__ = [
    "PassPlan",
    "TowerPasses",
    "TowerPlan",
    "check_determined",
    "places_of_image",
    "places_of_text",
    "plan_passes",
]


@dataclass(frozen=True, slots=True)
class TowerPlan:
    """How many coalitions a tower passes, and whether those are all there are."""

    passes: int
    enumerated: bool


@dataclass(frozen=True, slots=True)
class PassPlan:
    """What each tower passes."""

    image: TowerPlan
    text: TowerPlan

    @property
    def is_exact(self) -> bool:
        """Whether there is nothing left to pass."""
        return self.image.enumerated and self.text.enumerated


def plan_passes(
    game: SimilarityGame, *, budget: int, text_passes: int | None = None, enumerates: bool = True
) -> PassPlan:
    """Split the work between the towers by what they cost.

    The text is enumerated, and its coefficients exact, while that costs less than a fifth of the image passes;
    otherwise as many text coalitions are drawn as a fifth buys, though no fewer than a fit of them needs: 1,024, or
    four for each image pass where those are few.

    Args:
        game: the pair; its encoder knows what passes cost.
        budget: image passes.
        text_passes: text passes, where the caller settles them.
        enumerates: whether towers of few players pass all their coalitions.
    """
    if text_passes is None:
        n_tokens, worth = len(game.token_owners), TEXT_SHARE * budget
        drawn = int(worth / _cost_of_text(game.encoder, n_tokens, shared=False))
        drawn = min(max(drawn, min(MIN_TEXT_PASSES, 4 * budget)), MAX_SAMPLED_TEXT_PASSES)
        most = max(int(worth / _cost_of_text(game.encoder, n_tokens, shared=True)), drawn)
    else:
        drawn = most = text_passes
    if not enumerates:
        return PassPlan(TowerPlan(budget, enumerated=False), TowerPlan(drawn, enumerated=False))
    return PassPlan(
        _plan_tower(game.players.n_image, most=budget, drawn=budget),
        _plan_tower(game.players.n_text, most=most, drawn=drawn),
    )


def check_determined(coefficients: int, coalitions: int, *, what: str, field: str) -> None:
    """Refuse fewer coalitions than there are coefficients to tell apart.

    Args:
        coefficients: coefficients that least squares solves for.
        coalitions: rows that it solves from.
        what: whose they are, for the message.
        field: the parameter that settles the rows.

    Raises:
        InvalidParameterError: ``field`` is too small.
    """
    if coalitions < coefficients:
        raise InvalidParameterError(
            f"{field}: least squares cannot tell {coefficients} {what} coefficients apart from {coalitions} {what} "
            f"coalitions; take well above {coefficients}, or estimator 'gp'",
            field=field,
        )


def _plan_tower(n: int, *, most: int, drawn: int) -> TowerPlan:
    """All 2^n coalitions if those are at most ``most``, else ``drawn`` of them."""
    enumerated = n <= MAX_ENUMERATED_PLAYERS and 2**n <= most
    return TowerPlan(2**n if enumerated else drawn, enumerated)


def _cost_of_text(encoder: DualEncoder, n_tokens: int, *, shared: bool) -> float:
    """Cost of a text pass relative to an image pass; ``shared``: of one among all coalitions there are."""
    # All coalitions of a causal tower share their beginnings: 2^(n + 1) positions for 2^n coalitions.
    positions = 2 if shared and encoder.shares_prefixes else encoder.text_positions(n_tokens)
    return encoder.text_cost * positions


@dataclass(slots=True, eq=False, kw_only=True)
class TowerPasses:
    """One tower's coalitions and their embeddings; what was passed once is kept.

    Attributes:
        drawn: (limit, n) coalitions, of which a round takes the first.
        p: of the basis that the coefficients are given in.
        encode: coalitions to embeddings.
        places: (n, d) positions of the players.
        made: passes made so far.
    """

    drawn: Coalitions
    p: float
    encode: Callable[[Coalitions], Embeddings]
    places: FloatArray
    made: int = 0
    _passed: FloatArray | None = field(default=None, repr=False)
    _every: TowerSample | None = field(default=None, repr=False)

    def planned(self, plans: Sequence[TowerPlan]) -> int:
        """Passes that these rounds make, one on top of the other."""
        ends = [0, *(plan.passes for plan in plans if not plan.enumerated)]
        drawn = sum(len(np.unique(self.drawn[a:b], axis=0)) for a, b in pairwise(ends) if a < b)
        return drawn + max((plan.passes for plan in plans if plan.enumerated), default=0)

    def sample(self, plan: TowerPlan) -> TowerSample:
        """The coalitions of a plan with their embeddings."""
        if plan.enumerated:
            if self._every is None:
                every = enumerate_product(self.drawn.shape[1], self.p)
                self._every = TowerSample(every, self._encode(every.coalitions), self.places)
            return self._every
        kept = 0 if self._passed is None else len(self._passed)
        fresh = self._encode(self.drawn[kept : plan.passes])
        self._passed = fresh if self._passed is None else np.concatenate([self._passed, fresh])
        weights = np.full(plan.passes, 1 / plan.passes)
        coalitions = np.ascontiguousarray(self.drawn[: plan.passes])
        return TowerSample(CoalitionSample(coalitions, weights, self.p, exhaustive=False), self._passed, self.places)

    def _encode(self, coalitions: Coalitions) -> FloatArray:
        distinct, row_of = np.unique(coalitions, axis=0, return_inverse=True)
        self.made += len(distinct)
        return self.encode(distinct).astype(np.float64)[row_of.reshape(-1)]


def places_of_text(game: SimilarityGame) -> FloatArray:
    """(n, 1) places of the text players."""
    return np.arange(game.players.n_text, dtype=np.float64)[:, None]


def places_of_image(game: SimilarityGame) -> FloatArray:
    """(n, 2) places of the image players: middles of patches or regions, neighbours about 1 apart."""
    players = game.players
    patches = np.stack(np.divmod(np.arange(players.n_patches), players.grid[1]), axis=1).astype(np.float64)
    sums = np.zeros((players.n_image, 2))
    np.add.at(sums, players.owners, patches)
    middles = sums / np.bincount(players.owners, minlength=players.n_image)[:, None]
    return np.asarray(middles * np.sqrt(players.n_image / players.n_patches))
