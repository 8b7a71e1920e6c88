"""Whether FIxLIP is more faithful than every method of first order, beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fixlip_core.benchmarking.outcomes import Outcome
from fixlip_core.benchmarking.tables import summary_of
from fixlip_core.benchmarking.variants import Variant, reference_of

__all__ = ["separation"]

_FIGURES: Final = (("r2", "R\N{SUPERSCRIPT TWO}"), ("pearson", "Pearson"), ("spearman", "Spearman"))


@dataclass(frozen=True, slots=True)
class _Mean:
    """A variant's mean with its 95 % interval."""

    label: str
    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.label} {self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def separation(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> tuple[str, ...]:
    """A sentence for each figure of faithfulness that FIxLIP and a method of first order have."""
    found = [outcome for outcome in outcomes if not outcome.error]
    ours = reference_of(variants)
    if ours is None:
        return ()
    lines = []
    for name, title in _FIGURES:
        mine = _mean(found, ours, name)
        means = (_mean(found, variant, name) for variant in variants if variant.order == 1)
        rivals = [mean for mean in means if mean is not None]
        if mine is None or not rivals:
            continue
        best = max(rivals, key=lambda rival: rival.high)
        relation = "lies above" if mine.low > best.high else "does not lie above"
        lines.append(
            f"Faithfulness, {title}: {mine} {relation} every first-order method's interval; highest of these is {best}."
        )
    return tuple(lines)


def _mean(outcomes: Sequence[Outcome], variant: Variant, name: str) -> _Mean | None:
    summary = summary_of(outcomes, variant.label, "faithfulness", name)
    if summary.interval is None:
        return None
    return _Mean(variant.label, summary.mean, summary.interval.low, summary.interval.high)
