"""From a game to FIxLIP's values: rounds of passes of each tower, or coalitions of all players."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from fixlip_core.coalitions import (
    CoalitionSample,
    enumerate_product,
    enumerate_shapley,
    sample_product,
    sample_shapley,
)
from fixlip_core.defaults import AUTO_FIRST_PASSES, AUTO_LEAST_GAIN, MAX_ENUMERATED_PLAYERS
from fixlip_core.estimators.basis import Additive, count_features, to_additive
from fixlip_core.estimators.factored import fit_towers
from fixlip_core.estimators.joint import fit_joint, fit_joint_shapley
from fixlip_core.estimators.least_squares import fit_least_squares
from fixlip_core.estimators.shapley import fit_shapley
from fixlip_core.estimators.tower import TowerSample
from fixlip_core.game import SimilarityGame
from fixlip_core.methods.meter import Meter
from fixlip_core.methods.parameters import FixlipParameters
from fixlip_core.methods.passes import (
    PassPlan,
    TowerPasses,
    check_determined,
    places_of_image,
    places_of_text,
    plan_passes,
)
from fixlip_core.methods.provenance import Provenance
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["Ends", "Fit", "Solution", "solve"]

# The empty and the full coalition, once through each tower, for v(empty) and v(full).
_END_POINTS = 2
# Streams of random numbers.
_IMAGE_STREAM, _TEXT_STREAM = 0, 1
# Coalitions of the first round in which a player is expected to be in its rarer state.
_MEETINGS = 10


@dataclass(frozen=True, slots=True)
class Ends:
    """v(empty) and v(full)."""

    empty_value: float
    full_value: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Values, their standard errors (nan: unknown) and the estimated R^2."""

    values: Additive
    first_std_error: FloatArray
    second_std_error: FloatArray
    estimated_r2: float

    @classmethod
    def without_errors(cls, values: Additive, estimated_r2: float = float("nan")) -> Fit:
        """Values whose standard errors are not known."""
        return cls(values, np.full_like(values.first, np.nan), np.full_like(values.second, np.nan), estimated_r2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The last round's fit, the passes of all, and what the provenance is to say of them."""

    ends: Ends
    fit: Fit
    image_passes: int
    text_passes: int
    notes: Provenance


def solve(game: SimilarityGame, parameters: FixlipParameters, meter: Meter) -> Solution:
    """The values of a game.

    Raises:
        InvalidParameterError: the estimator cannot tell the values apart from so few coalitions, or at this p.
    """
    return (_solve_jointly if parameters.estimator == "joint" else _solve_in_rounds)(game, parameters, meter)


def _budgets_of(parameters: FixlipParameters) -> list[int]:
    """Image passes of every round: one, or each round twice those before."""
    if parameters.budget != "auto":
        return [parameters.budget]
    # Where presence or absence is rare, every player should still meet it.
    least = ceil(min(_MEETINGS / min(parameters.p, 1 - parameters.p), parameters.max_passes))
    budgets = [min(max(AUTO_FIRST_PASSES, least), parameters.max_passes)]
    while budgets[-1] < parameters.max_passes:
        budgets.append(min(2 * budgets[-1], parameters.max_passes))
    return budgets


def _solve_jointly(game: SimilarityGame, parameters: FixlipParameters, meter: Meter) -> Solution:
    """Least squares over coalitions of all players: each takes a pass of both towers."""
    n, n_image, order, p = len(game.players), game.players.n_image, parameters.order, parameters.p
    sample = _joint_sample(n, parameters)
    if not sample.exhaustive:
        check_determined(count_features(n, order), len(sample), what="joint", field="budget")
    passes = [len(np.unique(half, axis=0)) for half in np.split(sample.coalitions, [n_image], axis=1)]
    meter.total = sum(passes) + 2 * _END_POINTS
    ends, values = Ends(*game.empty_and_full()), game.value(sample.coalitions)
    meter.advance(0)
    if parameters.index == "shapley":
        additive = fit_joint_shapley(
            sample.coalitions,
            values,
            sample.weights,
            empty_value=ends.empty_value,
            full_value=ends.full_value,
            order=order,
        )
    else:
        fit = fit_joint(sample.coalitions, values, sample.weights, p=p, order=order)
        additive = to_additive(fit.coefficients, p, order=order)
    return Solution(
        ends=ends,
        fit=Fit.without_errors(additive),
        image_passes=passes[0] + _END_POINTS,
        text_passes=passes[1] + _END_POINTS,
        notes={"joint_coalitions": len(sample), "joint_design": _design(sample.exhaustive)},
    )


def _joint_sample(n: int, parameters: FixlipParameters) -> CoalitionSample:
    """Coalitions of all players: all that there are, or as many as the budget allows."""
    budget, is_shapley = _budgets_of(parameters)[-1], parameters.index == "shapley"
    if n <= MAX_ENUMERATED_PLAYERS and 2**n <= budget:
        every = enumerate_shapley(n) if is_shapley else enumerate_product(n, parameters.p)
        return replace(every, exhaustive=True)
    coalitions = _draw(slice(0, n), n, budget, parameters, _IMAGE_STREAM)
    return CoalitionSample(coalitions, np.full(budget, 1 / budget), parameters.p, exhaustive=False)


def _solve_in_rounds(game: SimilarityGame, parameters: FixlipParameters, meter: Meter) -> Solution:
    """Pass, fit, and go on while it pays."""
    plans = [
        plan_passes(
            game,
            budget=budget,
            text_passes=parameters.text_passes,
            # The published estimator draws its coalitions one by one, however few there are.
            enumerates=parameters.estimator != "wls",
        )
        for budget in _budgets_of(parameters)
    ]
    if parameters.estimator != "gp":
        _check_least_squares(game, parameters, plans[-1])
    images, texts = _towers(game, parameters, plans)
    meter.total = 2 * _END_POINTS + images.planned([p.image for p in plans]) + texts.planned([p.text for p in plans])
    ends = Ends(*game.empty_and_full())
    reached: list[float] = []
    stop_reason: str | None = None
    for plan in plans:
        # Text first: it is the faster tower, and its errors show first.
        text, image = texts.sample(plan.text), images.sample(plan.image)
        meter.advance(0)  # the fit takes a while: who wants to stop is heard before it
        fit = _fit(image, text, game, parameters, ends)
        reached.append(fit.estimated_r2)
        stop_reason = _why_stop(plan, plans, reached, parameters)
        if stop_reason is not None:
            break
    notes = _notes(plan)
    if parameters.budget == "auto":
        settled = {"target_r2": parameters.target_r2, "max_passes": parameters.max_passes}
        notes |= {"rounds": len(reached), "stop_reason": stop_reason, **settled}
    return Solution(
        ends=ends, fit=fit, image_passes=images.made + _END_POINTS, text_passes=texts.made + _END_POINTS, notes=notes
    )


def _notes(plan: PassPlan) -> Provenance:
    """What was passed in the last round: enough to repeat it."""
    return {
        "image_coalitions": plan.image.passes,
        "image_design": _design(plan.image.enumerated),
        "text_coalitions": plan.text.passes,
        "text_design": _design(plan.text.enumerated),
    }


def _why_stop(plan: PassPlan, plans: list[PassPlan], reached: list[float], parameters: FixlipParameters) -> str | None:
    """Why this round is the last one; None: it is not."""
    if plan.is_exact:
        return "exact"
    if parameters.budget == "auto" and reached[-1] >= parameters.target_r2:
        return "target_reached"
    if plan is plans[-1]:
        return "max_passes_reached"
    if len(reached) > 1 and reached[-1] - reached[-2] < AUTO_LEAST_GAIN:
        return "stalled"
    return None


def _towers(
    game: SimilarityGame, parameters: FixlipParameters, plans: list[PassPlan]
) -> tuple[TowerPasses, TowerPasses]:
    """The towers' coalitions, drawn for the largest plan."""
    n_image, n = game.players.n_image, len(game.players)
    most_image = max(0 if plan.image.enumerated else plan.image.passes for plan in plans)
    most_text = max(0 if plan.text.enumerated else plan.text.passes for plan in plans)
    return (
        TowerPasses(
            drawn=_draw(slice(0, n_image), n, most_image, parameters, _IMAGE_STREAM),
            p=parameters.p,
            encode=game.image_embeddings,
            places=places_of_image(game),
        ),
        TowerPasses(
            drawn=_draw(slice(n_image, n), n, most_text, parameters, _TEXT_STREAM),
            p=parameters.p,
            encode=game.text_embeddings,
            places=places_of_text(game),
        ),
    )


def _draw(part: slice, n: int, m: int, parameters: FixlipParameters, stream: int) -> Coalitions:
    """(m, k) coalitions of the players ``part`` of ``n``, by the index's own law."""
    if m == 0:
        return np.zeros((0, part.stop - part.start), dtype=bool)
    rng = np.random.default_rng([parameters.seed, stream])
    # The two of a pair differ in odd orders alone. A process can use that; least squares wants distinct even orders.
    complementary = parameters.estimator == "gp"
    if parameters.index == "shapley":
        return sample_shapley(n, m, rng, complementary=complementary).coalitions[:, part]
    return sample_product(part.stop - part.start, m, parameters.p, rng, complementary=complementary).coalitions


def _fit(image: TowerSample, text: TowerSample, game: SimilarityGame, parameters: FixlipParameters, ends: Ends) -> Fit:
    scale, bias, order = game.scale, game.bias, parameters.order
    if parameters.estimator != "gp":
        fit = fit_least_squares(image, text, scale=scale, bias=bias, order=order)
    else:
        fitted = fit_towers(image, text, scale=scale, bias=bias, order=order)
        fit = fitted.fit
        if parameters.index == "shapley":
            values = fit_shapley(fitted, empty_value=ends.empty_value, full_value=ends.full_value, order=order)
            return Fit.without_errors(values, fit.estimated_r2)
    return Fit(
        to_additive(fit.coefficients, parameters.p, order=order),
        fit.first_std_error,
        fit.second_std_error,
        fit.estimated_r2,
    )


def _check_least_squares(game: SimilarityGame, parameters: FixlipParameters, plan: PassPlan) -> None:
    """Refuse, before a pass is made, what least squares could not solve."""
    towers = (
        (game.players.n_image, plan.image, "image", "budget"),
        (game.players.n_text, plan.text, "text", "text_passes"),
    )
    for n, tower, what, field in towers:
        if not tower.enumerated:
            check_determined(count_features(n, parameters.order), tower.passes, what=what, field=field)


def _design(enumerated: bool) -> str:
    return "enumerated" if enumerated else "drawn"
