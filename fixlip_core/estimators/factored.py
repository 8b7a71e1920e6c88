"""Factored FIxLIP: joint interactions from each tower's coefficients.

The score is bilinear in the embeddings, and so are its coefficients: c_S = t <a_{S_I}, b_{S_T}>, with a_S and b_S the
towers' vector coefficients. A cross-modal pair needs the first order of each tower alone; a pair within a modality
needs the second order of the scalar game that the other tower's constant makes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from fixlip_core.coalitions import CoalitionSample
from fixlip_core.estimators.basis import Coefficients, features, pair_indices, symmetric
from fixlip_core.estimators.gaussian_process import CoalitionProcess, Functionals
from fixlip_core.estimators.learning import learn_prior
from fixlip_core.estimators.tower import GameFit, TowerSample
from fixlip_core.types import FloatArray

__all__ = ["fit_gaussian_processes"]

# Directions of the embedding space that carry less than this share of the strongest's energy teach the prior nothing.
_NEGLIGIBLE_ENERGY = 1e-4
# Below so many pair features the threads of the linear algebra cost more than they bring: they contend with those of
# the towers, and a Cholesky factor of 400 rows takes five times as long.
_THREADED_FROM_FEATURES = 4_000_000


@dataclass(frozen=True, slots=True)
class _Tower:
    """A tower's vector coefficients, and the process that its uncertainty comes from (None: they are exact).

    Attributes:
        values: (m, D) embeddings, those of the text multiplied by the scale of the score.
        sample: the coalitions behind them.
        process: the process, or None where every coalition was passed.
        zero: (D,) constant coefficient.
        first: (n, D) first-order coefficients.
        pairs: (n (n - 1) / 2, D) second-order coefficients of the pairs i < j.
    """

    values: FloatArray
    sample: CoalitionSample
    process: CoalitionProcess | None
    zero: FloatArray
    first: FloatArray
    pairs: FloatArray

    @property
    def n(self) -> int:
        return len(self.first)

    @property
    def moment(self) -> FloatArray:
        """(D, D) E[e e^T] over the measure."""
        return (self.values * self.sample.weights[:, None]).T @ self.values

    def pair_sums(self) -> FloatArray:
        """(n, D) sum over j of the second-order coefficients ij."""
        rows, columns = pair_indices(self.n)
        sums = np.zeros_like(self.first)
        np.add.at(sums, rows, self.pairs)
        np.add.at(sums, columns, self.pairs)
        return sums


def fit_gaussian_processes(
    image: TowerSample, text: TowerSample, *, scale: float, bias: float, order: int = 2
) -> GameFit:
    """Coefficients of ``scale * <a(x_I), b(x_T)> + bias``, a process for each tower that is not enumerated.

    Args:
        image: coalitions and embeddings of the image tower.
        text: coalitions and embeddings of the text tower.
        scale: t of the similarity.
        bias: b of the similarity.
        order: of the explanation whose standard errors and R^2 are wanted, 1 or 2.

    Returns:
        The coefficients, with standard errors and a leave-one-out estimate of R^2.
    """
    small = len(image.sample) * image.n**2 // 2 < _THREADED_FROM_FEATURES
    with threadpool_limits(1 if small else None, user_api="blas"):
        return _fit(image, text, scale, bias, order)


def _fit(image: TowerSample, text: TowerSample, scale: float, bias: float, order: int) -> GameFit:
    p = image.sample.p
    scaled = scale * text.embeddings
    moments = [(e * s.sample.weights[:, None]).T @ e for e, s in ((image.embeddings, image), (scaled, text))]
    a = _fit_tower(image, image.embeddings, moments[1])
    b = _fit_tower(text, scaled, moments[0])
    n, n_text = a.n, b.n
    second = np.zeros((n + n_text, n + n_text))
    second[:n, :n] = symmetric(a.pairs @ b.zero, n)
    second[n:, n:] = symmetric(b.pairs @ a.zero, n_text)
    second[:n, n:] = a.first @ b.first.T
    second[n:, :n] = second[:n, n:].T
    first = np.concatenate([a.first @ b.zero, b.first @ a.zero])
    coefficients = Coefficients(float(a.zero @ b.zero) + bias, first, second)
    by_image, by_text = _variances(a, b, p, order), _variances(b, a, p, order)
    return GameFit(
        coefficients,
        np.sqrt(np.concatenate([by_image.own_first + by_text.other_first, by_image.other_first + by_text.own_first])),
        np.sqrt(_joined(by_image, by_text)),
        _estimated_r2(a, b, order),
    )


def _fit_tower(tower: TowerSample, values: FloatArray, metric: FloatArray) -> _Tower:
    """Vector coefficients of a tower; ``metric`` (D, D) says how much an error in each direction costs the score."""
    sample = tower.sample
    if sample.exhaustive:
        c = (features(sample.chi) * sample.weights[:, None]).T @ values
        return _Tower(values, sample, None, c[0], c[1 : tower.n + 1], c[tower.n + 1 :])
    energies, directions = np.linalg.eigh(metric)
    keep = energies > _NEGLIGIBLE_ENERGY * energies[-1]
    targets = values @ (directions[:, keep] * np.sqrt(energies[keep]))
    process = CoalitionProcess(sample.chi, learn_prior(sample.chi, targets, tower.places, sample.p))
    alpha = process.alpha_of(values)
    pairs = np.concatenate([np.zeros((0, values.shape[1])), *(part for _, part in process.pair_vectors_of(alpha))])
    return _Tower(values, sample, process, process.constant_of(values), process.first_of(alpha), pairs)


@dataclass(frozen=True, slots=True)
class _Variances:
    """Variances of the additive values that one tower's uncertainty causes, for its own players and the other's."""

    own_first: FloatArray
    other_first: FloatArray
    own_pairs: FloatArray
    cross: FloatArray
    other_pairs: FloatArray


def _variances(own: _Tower, other: _Tower, p: float, order: int) -> _Variances:
    """Propagate the posterior of ``own`` through the bilinear form; ``other`` is taken as it is."""
    n, k = own.n, other.n
    process = own.process
    if process is None:
        return _Variances(np.zeros(n), np.zeros(k), np.zeros((n, n)), np.zeros((n, k)), np.zeros((k, k)))
    variance = p * (1 - p)
    # Embeddings have one scale matrix; that of <., d> and <., d'> is the form d^T Sigma d'.
    sigma = process.scale_of(own.values)
    single = process.variance(process.singles())
    constant = float(process.variance(process.constant())[0])
    along_first = _forms(other.first, sigma, other.first)
    along_pairs = _forms(other.pairs, sigma, other.pairs)
    along_zero = float(other.zero @ sigma @ other.zero)
    return _Variances(
        own_first=_own_first(process, sigma, other, p, order),
        other_first=_other_first(process, sigma, other, p, order),
        own_pairs=along_zero * process.pair_variances() / variance**2,
        cross=np.outer(single, along_first) / variance**2,
        other_pairs=symmetric(constant * along_pairs, k) / variance**2,
    )


def _own_first(process: CoalitionProcess, sigma: FloatArray, other: _Tower, p: float, order: int) -> FloatArray:
    """Variances of e_i = c_i / s - (p / s^2) (sum of own pairs c_ik + sum of cross pairs c_ij).

    Two functionals of the process, of two targets: that of the other tower's constant, and that of the sum of its
    first-order coefficients.
    """
    s, step = np.sqrt(p * (1 - p)), (1 / (1 - p) if order == 2 else 0.0)  # p / s^2 = 1 / (1 - p)
    prior, chi = process.prior, process.chi
    singles = process.singles()
    pair_sums = chi * (chi @ prior.pair_variances)
    straight = Functionals(
        singles.data / s - step * pair_sums,
        prior.single_variances / s**2 + step**2 * prior.pair_variances.sum(axis=1),
        singles.constant,
    )
    crossed = Functionals(-step * singles.data, step**2 * singles.variance, singles.constant)
    total = other.first.sum(axis=0)
    between = process.covariance(straight, crossed, -step * prior.single_variances / s)
    result = (
        float(other.zero @ sigma @ other.zero) * process.variance(straight)
        + 2 * float(other.zero @ sigma @ total) * between
        + float(total @ sigma @ total) * process.variance(crossed)
    )
    return np.asarray(np.maximum(result, 0.0))


def _other_first(process: CoalitionProcess, sigma: FloatArray, other: _Tower, p: float, order: int) -> FloatArray:
    """Variances of e_j = c_j / s - (p / s^2) (sum of cross pairs c_ij + sum of the other's pairs c_jk)."""
    s, step = np.sqrt(p * (1 - p)), (1 / (1 - p) if order == 2 else 0.0)
    singles, constant = process.singles(), process.constant()
    straight = Functionals(
        constant.data / s - step * singles.data.sum(axis=1, keepdims=True),
        constant.variance / s**2 + step**2 * singles.variance.sum(),
        constant.constant / s,
    )
    crossed = Functionals(-step * constant.data, step**2 * constant.variance, -step * constant.constant)
    own, pair_sums = other.first, other.pair_sums()
    between = float(process.covariance(straight, crossed, -step / s * constant.variance)[0])
    result = (
        _forms(own, sigma, own) * float(process.variance(straight)[0])
        + 2 * _forms(own, sigma, pair_sums) * between
        + _forms(pair_sums, sigma, pair_sums) * float(process.variance(crossed)[0])
    )
    return np.asarray(np.maximum(result, 0.0))


def _forms(left: FloatArray, matrix: FloatArray, right: FloatArray) -> FloatArray:
    """(k,) bilinear forms of the rows of (k, D) ``left`` and ``right``."""
    return np.asarray(((left @ matrix) * right).sum(axis=1))


def _joined(by_image: _Variances, by_text: _Variances) -> FloatArray:
    """(n, n) variances of the pairs, patches before tokens."""
    cross = by_image.cross + by_text.cross.T
    return np.block(
        [
            [by_image.own_pairs + by_text.other_pairs, cross],
            [cross.T, by_image.other_pairs + by_text.own_pairs],
        ]
    )


def _estimated_r2(a: _Tower, b: _Tower, order: int) -> float:
    """Leave-one-out R^2 of the joint explanation of ``order``.

    The error splits into what the text's low orders miss, in the metric of the image, and for every text coalition S
    of low order what the image's orders up to ``order - |S|`` miss of <a(x), b_S>. Directions are orthonormal, so the
    squares add up.
    """
    mean = float(a.zero @ b.zero)
    moment = a.moment
    spread = float(np.sum(moment * b.moment)) - mean**2
    if not spread > 0:
        return float("nan")
    residual = _errors(b, b.values, order)
    missed_by_text = float(b.sample.weights @ _forms(residual, moment, residual))
    blocks = [(order, b.zero[None]), (order - 1, b.first), (order - 2, b.pairs)]
    missed_by_image = sum(
        float(a.sample.weights @ (_errors(a, a.values @ directions.T, remaining) ** 2).sum(axis=1))
        for remaining, directions in blocks
        if remaining >= 0 and len(directions)
    )
    return 1 - (missed_by_text + missed_by_image) / spread


def _errors(tower: _Tower, targets: FloatArray, order: int) -> FloatArray:
    """(m, k) errors of the orders up to ``order``: left-out ones, or the exact ones of an enumerated tower."""
    if tower.process is not None:
        return tower.process.left_out_errors(targets, order)
    phi = features(tower.sample.chi, order)
    return np.asarray(targets - phi @ ((phi * tower.sample.weights[:, None]).T @ targets))
