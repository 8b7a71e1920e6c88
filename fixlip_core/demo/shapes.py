"""Outlines of the demo's shapes as polygons in the square [-1, 1] x [-1, 1], y downwards."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from fixlip_core.types import FloatArray

__all__ = ["OUTLINES"]


def _circle(radius: float = 1.0, corners: int = 40) -> FloatArray:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) - np.pi / 2
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star() -> FloatArray:
    points = _circle(corners=10)
    points[1::2] *= 0.42
    return points


def _cross(arm: float = 0.36) -> FloatArray:
    a = arm
    return np.array(
        [(-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a), (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a)]
    )


def _ring(hole: float = 0.55) -> FloatArray:
    # One polygon with a slit: the outer circle forwards, the inner one backwards.
    outer, inner = _circle(), _circle(hole)
    return np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])


def _heart() -> FloatArray:
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    points = np.stack([x, y], axis=1)
    low, high = points.min(0), points.max(0)
    return np.asarray(2 * (points - low) / (high - low) - 1)


OUTLINES: Mapping[str, FloatArray] = MappingProxyType(
    {
        "circle": _circle(),
        "cross": _cross(),
        "diamond": np.array([(0.0, -1.0), (0.7, 0.0), (0.0, 1.0), (-0.7, 0.0)]),
        "heart": _heart(),
        "ring": _ring(),
        "square": np.array([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        "star": _star(),
        "triangle": np.array([(0.0, -1.0), (1.0, 0.9), (-1.0, 0.9)]),
    }
)
