"""Games whose interactions are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fixlip_core.coalitions import CoalitionSample
from fixlip_core.estimators.basis import Additive, features, symmetric
from fixlip_core.estimators.tower import TowerSample
from fixlip_core.types import Coalitions, FloatArray


@dataclass(frozen=True)
class BilinearGame:
    """(a_0 + sum a_i x_i) . (b_0 + sum b_j y_j): oracle 1."""

    a0: FloatArray
    a: FloatArray
    b0: FloatArray
    b: FloatArray

    @classmethod
    def draw(cls, n_image: int, n_text: int, dim: int, seed: int) -> BilinearGame:
        rng = np.random.default_rng(seed)
        a, b = rng.normal(size=(n_image + 1, dim)), rng.normal(size=(n_text + 1, dim))
        return cls(a[0], a[1:], b[0], b[1:])

    def image(self, coalitions: Coalitions) -> FloatArray:
        return np.asarray(self.a0 + coalitions @ self.a)

    def text(self, coalitions: Coalitions) -> FloatArray:
        return np.asarray(self.b0 + coalitions @ self.b)

    def value(self, coalitions: Coalitions) -> FloatArray:
        n = len(self.a)
        return np.asarray(np.einsum("md,md->m", self.image(coalitions[:, :n]), self.text(coalitions[:, n:])))


@dataclass(frozen=True)
class DualGame:
    """scale * <image(x_I), text(x_T)> + bias of any two towers."""

    image: Callable[[Coalitions], FloatArray]
    text: Callable[[Coalitions], FloatArray]
    n_image: int
    scale: float
    bias: float

    def value(self, coalitions: Coalitions) -> FloatArray:
        a, b = self.image(coalitions[:, : self.n_image]), self.text(coalitions[:, self.n_image :])
        return np.asarray(self.scale * np.einsum("md,md->m", a, b) + self.bias)


def smooth_tower(n: int, dim: int, seed: int) -> Callable[[Coalitions], FloatArray]:
    """A tower of no low order: unit vectors of a random two-layer network of the coalition."""
    rng = np.random.default_rng(seed)
    hidden, out, shift = rng.normal(size=(n, 16)) / np.sqrt(n), rng.normal(size=(16, dim)), rng.normal(size=16)

    def encode(coalitions: Coalitions) -> FloatArray:
        e = np.tanh(2 * coalitions @ hidden + shift) @ out
        return np.asarray(e / np.linalg.norm(e, axis=1, keepdims=True))

    return encode


def tower(
    sample: CoalitionSample, encode: Callable[[Coalitions], FloatArray], *, grid: tuple[int, int] | None = None
) -> TowerSample:
    """The sample's passes through ``encode``; players on a line, or on ``grid``."""
    n = sample.coalitions.shape[1]
    line = np.arange(n, dtype=float)[:, None]
    places = line if grid is None else np.stack(np.divmod(np.arange(n), grid[1]), axis=1).astype(float)
    return TowerSample(sample, encode(sample.coalitions), places)


def unanimity(coalitions: Coalitions) -> FloatArray:
    """x1 x2 x3: oracle 3."""
    return np.asarray(coalitions[:, :3].all(axis=1), dtype=float)


def dense_shapley(
    coalitions: Coalitions, values: FloatArray, weights: FloatArray, empty: float, full: float, order: int
) -> Additive:
    """Weighted least squares with efficiency as a constraint, by the dense KKT system."""
    n = coalitions.shape[1]
    design = features(coalitions.astype(float), order)[:, 1:]
    size = design.shape[1]
    system = np.ones((size + 1, size + 1))
    system[:size, :size], system[-1, -1] = (design * weights[:, None]).T @ design, 0.0
    e = np.linalg.solve(system, np.append(design.T @ (weights * (values - empty)), full - empty))[:size]
    return Additive(empty, e[:n], symmetric(e[n:], n) if order == 2 else np.zeros((n, n)))
