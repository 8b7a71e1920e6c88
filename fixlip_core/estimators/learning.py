"""The prior learnt from a tower's own passes.

A player that matters alone is likely to matter in pairs, and near players interact more than far ones: the first prior
is built from each player's first-order energy over the whole embedding, smoothed over its neighbours, and from
distance, with weights by restricted likelihood. Then every coefficient gets a variance of its own by
expectation-maximisation (automatic relevance determination: Tipping 2001): the embedding has hundreds of directions,
so even a pair that is noise in any one of them shows its energy over all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fixlip_core.estimators.gaussian_process import CoalitionProcess
from fixlip_core.estimators.kernels import outer
from fixlip_core.estimators.likelihood import LOCAL, START, KernelParts, likeliest_weights
from fixlip_core.estimators.prior import Prior
from fixlip_core.threads import ONE_BLAS_THREAD
from fixlip_core.types import FloatArray

__all__ = ["learn_prior"]

LIKELIHOOD_ROUNDS = 3
LIKELIHOOD_ROWS = 512
RELEVANCE_ROUNDS = 3
RELEVANCE_ROWS = 512
SMOOTHING = 0.1
RELEVANCE_FLOOR = 0.05
# A variance is never cut below this share of its first value: what looks absent may be only unseen.
VARIANCE_FLOOR = 1e-3


def learn_prior(chi: FloatArray, targets: FloatArray, places: FloatArray, p: float) -> Prior:
    """The prior that the targets speak for.

    Args:
        chi: (m, n) standardised coalitions.
        targets: (m, k) values, in units in which errors of all columns count alike.
        places: (n, d) positions of the players.
        p: probability of presence.
    """
    prior = _by_likelihood(chi[:LIKELIHOOD_ROWS], targets[:LIKELIHOOD_ROWS], places, p)
    chi, targets = chi[:RELEVANCE_ROWS], targets[:RELEVANCE_ROWS]
    first = prior
    for _ in range(RELEVANCE_ROUNDS):
        prior = _own_variances(CoalitionProcess(chi, prior), targets, first)
    return prior


def _by_likelihood(chi: FloatArray, targets: FloatArray, places: FloatArray, p: float) -> Prior:
    """Energies and weights in turn, from equal energies on."""
    distances = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=-1))
    # Of a player that is in all coalitions or in none nothing is known: it is taken to be as the others are.
    varies = np.ptp(chi, axis=0) > 0
    relevance, weights = np.full(chi.shape[1], 1.0 / chi.shape[1]), np.array(START)
    prior = KernelParts.of(relevance, distances).prior(weights, p)
    for _ in range(LIKELIHOOD_ROUNDS):
        parts = KernelParts.of(relevance, distances)
        grams = parts.grams(chi, p)
        # So small a Cholesky factor, and so many of them, are faster without threads.
        with ONE_BLAS_THREAD:
            weights = likeliest_weights(grams, targets, weights)
        prior = parts.prior(weights, p)
        process = CoalitionProcess(chi, prior, np.tensordot(weights[LOCAL], grams[LOCAL], axes=1))
        energies = (process.first_of(process.alpha_of(targets)) ** 2).sum(axis=1)
        relevance = _smoothed(np.where(varies, energies, energies.mean(where=varies)), distances)
    return prior


def _smoothed(energies: FloatArray, distances: FloatArray) -> FloatArray:
    """(n,) relevances: energies averaged with their neighbours', none zero, of sum 1."""
    n = len(energies)
    near = np.exp(-(distances**2) / 2)
    np.fill_diagonal(near, 0.0)
    neighbours = near @ energies / np.maximum(near.sum(axis=1), 1e-12)
    mixed = (1 - SMOOTHING) * energies + SMOOTHING * neighbours
    total = float(mixed.sum())
    share = mixed / total if total > 0 else np.full(n, 1.0 / n)
    share = np.maximum(share, RELEVANCE_FLOOR / n)
    return np.asarray(share / share.sum())


def _own_variances(process: CoalitionProcess, targets: FloatArray, first: Prior) -> Prior:
    """One step of expectation-maximisation: a coefficient's variance is its expected square, relative to the scale.

    What the product kernel gives each order already is taken off, and ``first`` bounds it from below.
    """
    prior = process.prior
    scale = float(np.trace(process.scale_of(targets)))
    if not scale > 0:
        return prior
    singles, pairs = process.expected_squares(targets, scale)
    return replace(
        prior,
        singles=np.maximum(singles - prior.product * prior.rho, VARIANCE_FLOOR * first.singles),
        pairs=np.maximum(pairs - prior.product * outer(prior.rho), VARIANCE_FLOOR * first.pairs),
    )
