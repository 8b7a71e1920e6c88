"""Factored FIxLIP: joint interactions from each tower's coefficients.

The score is bilinear in the embeddings, and so are its coefficients: c_S = t <a_{S_I}, b_{S_T}>, with a_S and b_S the
towers' vector coefficients. A cross-modal pair needs the first order of each tower alone; a pair within a modality
needs the second order of the scalar game that the other tower's constant makes.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from fixlip_core.estimators.basis import Coefficients, features
from fixlip_core.estimators.gaussian_process import CoalitionProcess
from fixlip_core.estimators.learning import learn_prior
from fixlip_core.estimators.propagation import forms, standard_errors
from fixlip_core.estimators.surrogate import TowerFit
from fixlip_core.estimators.tower import GameFit, TowerSample, check_presence
from fixlip_core.threads import ONE_BLAS_THREAD
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["FactoredFit", "fit_towers"]

# Directions of the embedding space that carry less than this share of the strongest's energy teach the prior nothing.
_NEGLIGIBLE_ENERGY = 1e-4
# Below so many pair features the threads of the linear algebra cost more than they bring: they contend with those of
# the towers, and a Cholesky factor of 400 rows takes five times as long.
_THREADED_FROM_FEATURES = 4_000_000
_ROWS_PER_CHUNK = 8_192


@dataclass(frozen=True, slots=True)
class FactoredFit:
    """Both towers after their passes, and the joint coefficients that they make.

    Attributes:
        image: the image tower.
        text: the text tower, embeddings multiplied by the scale of the score.
        bias: of the score.
        fit: the coefficients, with standard errors and a leave-one-out estimate of R^2.
    """

    image: TowerFit
    text: TowerFit
    bias: float
    fit: GameFit

    def evaluate(self, image_coalitions: Coalitions, text_coalitions: Coalitions) -> FloatArray:
        """(m,) values of the surrogate game, row by row; no pass of a tower.

        An enumerated tower is looked up; any other is the posterior mean of its process, which does not repeat the
        observed embeddings to the digit.

        Args:
            image_coalitions: (m, image players).
            text_coalitions: (m, text players).
        """
        values = np.empty(len(image_coalitions))
        for start in range(0, len(values), _ROWS_PER_CHUNK):
            rows = slice(start, start + _ROWS_PER_CHUNK)
            a, b = self.image.evaluate(image_coalitions[rows]), self.text.evaluate(text_coalitions[rows])
            values[rows] = np.einsum("md,md->m", a, b)
        return values + self.bias


def fit_towers(image: TowerSample, text: TowerSample, *, scale: float, bias: float, order: int = 2) -> FactoredFit:
    """Fit ``scale * <a(x_I), b(x_T)> + bias``, with a process for each tower that is not enumerated.

    A sample need not be drawn from the p-product measure. Its p then says only in which basis the prior is learnt and
    the coefficients are given: they are the p-product's all the same, since the surrogate is known everywhere. What
    averages over the sample, the leave-one-out R^2 and the metric that weighs directions against one another, is
    under the law that was drawn.

    Args:
        image: coalitions and embeddings of the image tower.
        text: coalitions and embeddings of the text tower; of the same p.
        scale: t of the similarity.
        bias: b of the similarity.
        order: of the explanation whose standard errors and R^2 are wanted, 1 or 2.

    Raises:
        InvalidParameterError: p is too near 0 or 1 for so few coalitions.
    """
    check_presence(image, text)
    small = len(image.sample) * image.n**2 // 2 < _THREADED_FROM_FEATURES
    with ONE_BLAS_THREAD if small else nullcontext():
        scaled = scale * text.embeddings
        moments = [(e * s.sample.weights[:, None]).T @ e for e, s in ((image.embeddings, image), (scaled, text))]
        a = _fit_tower(image, image.embeddings, moments[1])
        b = _fit_tower(text, scaled, moments[0])
        first_error, second_error = standard_errors(a, b, order)
        fit = GameFit(_coefficients(a, b, bias), first_error, second_error, _estimated_r2(a, b, order))
    return FactoredFit(a, b, bias, fit)


def _fit_tower(tower: TowerSample, values: FloatArray, metric: FloatArray) -> TowerFit:
    """A tower's fit; ``metric`` (D, D) says how much an error in each direction costs the score."""
    sample = tower.sample
    if sample.exhaustive:
        return TowerFit(values, sample, None)
    energies, directions = np.linalg.eigh(metric)
    keep = energies > _NEGLIGIBLE_ENERGY * energies[-1]
    targets = values @ (directions[:, keep] * np.sqrt(energies[keep]))
    chi = sample.chi
    return TowerFit(values, sample, CoalitionProcess(chi, learn_prior(chi, targets, tower.places, sample.p)))


def _coefficients(a: TowerFit, b: TowerFit, bias: float) -> Coefficients:
    cross = a.first @ b.first.T
    second = np.block([[a.pairs_along(b.zero), cross], [cross.T, b.pairs_along(a.zero)]])
    first = np.concatenate([a.first @ b.zero, b.first @ a.zero])
    return Coefficients(float(a.zero @ b.zero) + bias, first, second)


def _estimated_r2(a: TowerFit, b: TowerFit, order: int) -> float:
    """Leave-one-out R^2 of the joint explanation of ``order``.

    The error splits into what the text's low orders miss, in the metric of the image, and for every text coalition S
    of low order what the image's orders up to ``order - |S|`` miss of <a(x), b_S>. Directions are orthonormal, so the
    squares add up.
    """
    mean = float(a.zero @ b.zero)
    spread = float(np.sum(a.moment * b.moment)) - mean**2
    if not spread > 0:
        return float("nan")
    residual = _errors(b, b.values, order)
    missed_by_text = float(b.sample.weights @ forms(residual, a.moment, residual))
    missed_by_image = _missed(a, b.zero[None], order) + _missed(a, b.first, order - 1)
    if order == 2:
        missed_by_image += sum(_missed(a, directions, 0) for directions in b.pair_vectors())
    return 1 - (missed_by_text + missed_by_image) / spread


def _missed(tower: TowerFit, directions: FloatArray, order: int) -> float:
    """Mean square that the tower's orders up to ``order`` miss of its embedding along (k, D) ``directions``, summed."""
    errors = _errors(tower, tower.values @ directions.T, order)
    return float(tower.sample.weights @ (errors**2).sum(axis=1))


def _errors(tower: TowerFit, targets: FloatArray, order: int) -> FloatArray:
    """(m, k) errors of the orders up to ``order``: left-out ones, or the exact ones of an enumerated tower."""
    if tower.process is not None:
        return tower.process.left_out_errors(targets, order)
    phi = features(tower.sample.chi, order)
    return np.asarray(targets - phi @ ((phi * tower.sample.weights[:, None]).T @ targets))
