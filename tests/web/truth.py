"""What the library says of some explanations: the front end is to say the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from fixlip_core.evaluation.subsets import extreme_subsets
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import style
from fixlip_core.report import report_document
from tests.support.explanations import attribution, example, made_up, pair_attribution, with_regions

__all__ = ["truth"]

MOST_PAIRS = 40


def truth(*, seed: int = 7) -> dict[str, Any]:
    """Documents of explanations beside what is expected of them, and of numbers and colours."""
    rng = np.random.default_rng(seed)
    explanations = {
        "fixlip": example(),
        "order 1": example(order=1),
        "attribution": attribution(),
        "pair attribution": pair_attribution(),
        "regions": with_regions(),
        "twelve players": made_up((3, 3), 3),
        "sixty players": made_up((7, 8), 4, seed=1),
        "one word": made_up((2, 2), 1, seed=2),
    }
    return {
        "explanations": {name: _said_of(_rounded(one), rng) for name, one in explanations.items()},
        "subsets": [_subsets(made_up((3, 3), 3, seed=k)) for k in range(8)]
        + [_subsets(made_up((7, 8), 4, seed=k)) for k in range(3)],
        "scale": _scale(rng),
    }


def _rounded(explanation: Explanation) -> Explanation:
    """The same with values that float32 holds, so that both sides see the same numbers."""
    names = ("first", "second", "first_std_error", "second_std_error")
    values: dict[str, Any] = {name: getattr(explanation, name).astype(np.float32) for name in names}
    return dataclasses.replace(explanation, **values)


def _said_of(explanation: Explanation, rng: np.random.Generator) -> dict[str, Any]:
    n = explanation.n_players
    coalitions = rng.uniform(size=(6, n)) < 0.5
    # Of order 1, nothing is told of pairs.
    errors = explanation.second_std_error if explanation.order == 2 else np.full((n, n), np.nan)
    return {
        "document": _document(explanation),
        "n_image": explanation.n_image,
        "first": explanation.first.tolist(),
        "second": explanation.second.tolist(),
        "first_std_errors": [_known(error) for error in explanation.first_std_error],
        "pair_std_errors": [_known(error) for error in errors[np.triu_indices(n, 1)]],
        "main_effects": explanation.main_effects().tolist(),
        "conditional": [explanation.conditional(token).ravel().tolist() for token in range(explanation.n_text)],
        "owners": explanation.players.owners.tolist(),
        "positions": [explanation.players.position(player) for player in range(explanation.n_image)],
        "top": {kind: _top(explanation, cross_modal=kind == "cross") for kind in ("all", "cross")},
        "coalitions": coalitions.astype(int).tolist(),
        "predicted": explanation.predict(coalitions).tolist() if explanation.additive else None,
    }


def _document(explanation: Explanation) -> Any:
    return report_document(explanation, np.zeros((8, 8, 3), np.uint8), embed_image=False)["explanation"]


def _top(explanation: Explanation, *, cross_modal: bool) -> list[tuple[int, int, float, float | None]]:
    """Strongest first; a pair that has no value is none."""
    pairs = explanation.top_interactions(MOST_PAIRS, cross_modal=cross_modal)
    return [(*pair.players, pair.value, _known(pair.std_error)) for pair in pairs if pair.value != 0]


def _subsets(explanation: Explanation) -> dict[str, Any]:
    found = extreme_subsets(explanation.first, explanation.second)
    return {
        "document": _document(explanation),
        "best": found.greatest.astype(int).tolist(),
        "worst": found.least.astype(int).tolist(),
        "best_values": found.greatest_values.tolist(),
        "worst_values": found.least_values.tolist(),
    }


def _scale(rng: np.random.Generator) -> dict[str, Any]:
    shares = np.linspace(-1.2, 1.2, 49)
    limits = [0.0, *(10.0 ** rng.uniform(-12, 9, size=60)).tolist(), 0.5, 1.0, 2.5, 3.0]
    values = [0.0, *(rng.choice([-1, 1], 80) * 10.0 ** rng.uniform(-9, 8, size=80)).tolist(), 0.25, -1000.0, 99.96]
    return {
        "colours": [[0.7 * share, 0.7, style.diverging(np.array(0.7 * share), 0.7).tolist()] for share in shares],
        "ticks": [[limit, style.ticks(limit)] for limit in limits],
        "powers": [[limit, style.in_powers("effect", style.exponent(limit))] for limit in limits],
        "signed": [[value, style.signed(value)] for value in values],
        "unit": style.unit("logit"),
    }


def _known(value: float) -> float | None:
    """JSON has no nan."""
    return None if np.isnan(value) else float(value)
