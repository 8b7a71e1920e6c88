"""Standard errors: a tower's posterior carried through the bilinear form to the additive values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.estimators.gaussian_process import CoalitionProcess, Functionals
from fixlip_core.estimators.surrogate import TowerFit
from fixlip_core.types import FloatArray

__all__ = ["Variances", "forms", "propagate", "standard_errors"]


@dataclass(frozen=True, slots=True)
class Variances:
    """Variances of the additive values that one tower's uncertainty causes, for its own players and the other's."""

    own_first: FloatArray
    other_first: FloatArray
    own_pairs: FloatArray
    cross: FloatArray
    other_pairs: FloatArray


def standard_errors(a: TowerFit, b: TowerFit, order: int) -> tuple[FloatArray, FloatArray]:
    """(n,) standard errors of e_i and (n, n) of e_ij, image players first, for towers fitted independently."""
    by_image, by_text = propagate(a, b, order), propagate(b, a, order)
    first = np.concatenate([by_image.own_first + by_text.other_first, by_image.other_first + by_text.own_first])
    cross = by_image.cross + by_text.cross.T
    second = np.block(
        [
            [by_image.own_pairs + by_text.other_pairs, cross],
            [cross.T, by_image.other_pairs + by_text.own_pairs],
        ]
    )
    return np.sqrt(first), np.sqrt(second)


def propagate(own: TowerFit, other: TowerFit, order: int) -> Variances:
    """Propagate the posterior of ``own`` through the bilinear form; ``other`` is taken as it is."""
    n, k = own.n, other.n
    process = own.process
    if process is None:
        return Variances(np.zeros(n), np.zeros(k), np.zeros((n, n)), np.zeros((n, k)), np.zeros((k, k)))
    p = own.sample.p
    variance = p * (1 - p)
    # Embeddings have one scale matrix; that of <., d> and <., d'> is the form d^T Sigma d'.
    sigma = process.scale_of(own.values)
    constant = float(process.variance(process.constant())[0])
    along_zero = float(other.zero @ sigma @ other.zero)
    return Variances(
        own_first=_own_first(process, sigma, other, p, order),
        other_first=_other_first(process, sigma, other, p, order),
        own_pairs=along_zero * process.pair_variances() / variance**2,
        cross=np.outer(process.variance(process.singles()), forms(other.first, sigma, other.first)) / variance**2,
        other_pairs=constant * other.pair_lengths(_root(sigma)) / variance**2,
    )


def _own_first(process: CoalitionProcess, sigma: FloatArray, other: TowerFit, p: float, order: int) -> FloatArray:
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


def _other_first(process: CoalitionProcess, sigma: FloatArray, other: TowerFit, p: float, order: int) -> FloatArray:
    """Variances of e_j = c_j / s - (p / s^2) (sum of cross pairs c_ij + sum of the other's pairs c_jk)."""
    s, step = np.sqrt(p * (1 - p)), (1 / (1 - p) if order == 2 else 0.0)
    singles, constant = process.singles(), process.constant()
    straight = Functionals(
        constant.data / s - step * singles.data.sum(axis=1, keepdims=True),
        constant.variance / s**2 + step**2 * singles.variance.sum(),
        constant.constant / s,
    )
    crossed = Functionals(-step * constant.data, step**2 * constant.variance, -step * constant.constant)
    own, pair_sums = other.first, other.pair_sums
    between = float(process.covariance(straight, crossed, -step / s * constant.variance)[0])
    result = (
        forms(own, sigma, own) * float(process.variance(straight)[0])
        + 2 * forms(own, sigma, pair_sums) * between
        + forms(pair_sums, sigma, pair_sums) * float(process.variance(crossed)[0])
    )
    return np.asarray(np.maximum(result, 0.0))


def forms(left: FloatArray, matrix: FloatArray, right: FloatArray) -> FloatArray:
    """(k,) bilinear forms of the rows of (k, D) ``left`` and ``right``."""
    return np.asarray(((left @ matrix) * right).sum(axis=1))


def _root(covariance: FloatArray) -> FloatArray:
    """(D, k) matrix R with R R^T = ``covariance``; directions that carry nothing but rounding are left out."""
    energies, directions = np.linalg.eigh(covariance)
    keep = energies > np.finfo(np.float64).eps * len(energies) * energies[-1]
    return np.asarray(directions[:, keep] * np.sqrt(energies[keep]))
