"""How far two explanations of the same pair may be apart, and how far they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from fixlip_core.audit.checks import Difference
from fixlip_core.audit.record import AuditEnvironment, AuditValues
from fixlip_core.explanation import Explanation
from fixlip_core.types import FloatArray

__all__ = [
    "DRAW_ON_DEVICE",
    "MOST_STEADY_THREADS",
    "SCORE_TOLERANCE",
    "TOLERANCE",
    "differences_between",
    "differing_member",
    "distance",
    "has_steady_bits",
    "is_near",
]

TOLERANCE: Final[Mapping[str, float]] = MappingProxyType({"fp32": 1e-4, "fp16": 0.02, "bf16": 0.1})
"""Greatest difference of a value by precision, as a share of the largest value. docs/audit.md has the measurements."""

SCORE_TOLERANCE: Final[Mapping[str, float]] = MappingProxyType({"fp32": 1e-2, "fp16": 0.05, "bf16": 0.1})
"""Greatest difference of a score by precision, as a share of it or of 1, whichever is larger."""

DRAW_ON_DEVICE: Final = frozenset({"m2ib"})
"""Methods whose random numbers are the device's own: another kind of device draws others from the same seed."""

MOST_STEADY_THREADS: Final = 2
"""Up to so many CPU threads, rows have the same bits in any batch: see :mod:`fixlip_core.encoders.steady`."""


def has_steady_bits(environment: AuditEnvironment) -> bool:
    """Whether the same computation gives the same bits there every time, whatever runs beside it."""
    is_exact = environment.precision == "fp32" and environment.device == "cpu"
    return is_exact and environment.threads <= MOST_STEADY_THREADS


def differences_between(recorded: AuditEnvironment, here: AuditEnvironment) -> tuple[Difference, ...]:
    """In what two environments differ."""
    there, mine = _flat(recorded), _flat(here)
    names = [*there, *(name for name in mine if name not in there)]
    return tuple(
        Difference(name, there.get(name), mine.get(name)) for name in names if there.get(name) != mine.get(name)
    )


def distance(recorded: Explanation, again: Explanation) -> float:
    """Greatest difference of a value, as a share of the largest value on its scale.

    An explanation that adds up has one scale. Attributions of players have two, the image's and the text's.

    Args:
        recorded: the one.
        again: the other, of the same players.
    """
    return max(_distance(a, b) for a, b in zip(_scales(recorded), _scales(again), strict=True))


def differing_member(recorded: AuditValues, found: AuditValues, tolerance: float) -> str | None:
    """What is said of the values beside their digest, and does not hold; None: nothing.

    Args:
        recorded: what is said.
        found: what should be.
        tolerance: of its numbers, as a share of them or of 1, whichever is larger.
    """
    there, here = recorded.model_dump(exclude={"sha256"}), found.model_dump(exclude={"sha256"})
    for name, value in there.items():
        is_same = is_near(value, here[name], tolerance) if isinstance(value, float) else value == here[name]
        if not is_same:
            return f"{name} was {value}, and is {here[name]}"
    return None


def is_near(recorded: float | None, found: float | None, tolerance: float) -> bool:
    """Whether two numbers are the same within a share of the first or of 1; None is like nan."""
    if recorded is None or found is None:
        return (recorded is None or math.isnan(recorded)) and (found is None or math.isnan(found))
    return abs(recorded - found) <= tolerance * max(1.0, abs(recorded))


def _scales(explanation: Explanation) -> list[FloatArray]:
    if explanation.order == 1 and not explanation.additive:
        return [explanation.first[: explanation.n_image], explanation.first[explanation.n_image :]]
    return [np.concatenate([[np.nan_to_num(explanation.baseline)], explanation.first, explanation.second.ravel()])]


def _distance(recorded: FloatArray, again: FloatArray) -> float:
    greatest = float(np.abs(recorded - again).max(initial=0.0))
    if greatest == 0.0:
        return 0.0
    scale = float(np.abs(recorded).max(initial=0.0))
    return greatest / scale if scale else float("inf")


def _flat(environment: AuditEnvironment) -> dict[str, str | None]:
    return dict(_named(environment))


def _named(environment: AuditEnvironment) -> Iterator[tuple[str, str | None]]:
    for name, value in environment.model_dump().items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield name, None if value is None else str(value)
