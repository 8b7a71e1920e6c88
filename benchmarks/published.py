"""The published estimator, plainly: joint weighted least squares with a dense design (FIxLIP, arXiv 2508.05430).

It stands here to be measured against, not to be used: it splits its budget into image and text coalitions, encodes
each once (the published code encodes them again for every pair of batches), and solves for all coefficients on the
full product of rows.
"""

from __future__ import annotations

import numpy as np

from fixlip_core.coalitions import sample_product
from fixlip_core.estimators.basis import Additive, symmetric
from fixlip_core.game import SimilarityGame
from fixlip_core.types import FloatArray

__all__ = ["fit_published"]


def fit_published(game: SimilarityGame, p: float, budget: int, seed: int) -> tuple[Additive, int, int]:
    """The explanation from ``budget`` joint coalitions, with the image and text passes they took.

    The split is that of the published runs: 1,024 image and 32 text coalitions at a budget of 2^15.
    """
    n, n_text = game.players.n_image, game.players.n_text
    text_passes = round(2 ** ((np.log2(budget) - 5) / 2))
    image_passes = budget // text_passes
    rng = np.random.default_rng(seed)
    images = sample_product(n, image_passes, p, rng, complementary=False).coalitions
    texts = sample_product(n_text, text_passes, p, rng, complementary=False).coalitions
    a, b = game.image_embeddings(images), game.text_embeddings(texts)
    rows = np.concatenate([np.repeat(images, len(texts), axis=0), np.tile(texts, (len(images), 1))], axis=1)
    values = (game.scale * a @ b.T + game.bias).ravel().astype(np.float32)
    solved = _solve(_design(rows), values)
    players = n + n_text
    first, second = solved[1 : players + 1], symmetric(solved[players + 1 :], players)
    return Additive(float(solved[0]), first, second), image_passes, text_passes


def _design(rows: np.ndarray) -> FloatArray:
    """(m, F) float32: constant, x_i, x_i x_j, as the published code lays it out."""
    x = rows.astype(np.float32)
    first, second = np.triu_indices(x.shape[1], 1)
    return np.concatenate([np.ones((len(x), 1), np.float32), x, x[:, first] * x[:, second]], axis=1)


def _solve(design: FloatArray, values: FloatArray) -> FloatArray:
    """Normal equations, with the least ridge that float32 needs to be solvable at all."""
    gram = (design.T @ design).astype(np.float64)
    gram[np.diag_indices_from(gram)] += 1e-6 * np.trace(gram) / len(gram)
    return np.asarray(np.linalg.solve(gram, (design.T @ values).astype(np.float64)))
