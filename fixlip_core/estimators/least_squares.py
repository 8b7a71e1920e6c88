"""Factored least squares: weighted least squares over all pairs of image and text coalitions, through its Gram matrix.

Over a product sample the Gram matrix of the joint features is a product of the towers' own,
``Gram[S, S'] = G_I[S_I, S'_I] G_T[S_T, S'_T]``, and so is the right side; the m_I * m_T rows never exist. Where the
text is enumerated G_T is the identity and the system falls apart by text coalition: a cross-modal pair then needs
only the image's first-order features. With both towers drawn independently, all weights equal, this is the published
cross-modal estimator (FIxLIP, arXiv 2508.05430), whose own weights of enumerated sizes are wrong.
"""

from __future__ import annotations

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators import lapack
from fixlip_core.estimators.basis import Coefficients, count_features, features, symmetric
from fixlip_core.estimators.normal_equations import check_size, solve_definite
from fixlip_core.estimators.tower import GameFit, TowerSample, check_presence
from fixlip_core.types import FloatArray

__all__ = ["fit_least_squares"]

_ROWS_PER_CHUNK = 2_048
_ORTHONORMAL_TO = 1e-9


def fit_least_squares(image: TowerSample, text: TowerSample, *, scale: float, bias: float, order: int = 2) -> GameFit:
    """Coefficients of ``scale * <a(x_I), b(x_T)> + bias`` by weighted least squares on joint orders up to ``order``.

    Args:
        image: coalitions and embeddings of the image tower.
        text: coalitions and embeddings of the text tower.
        scale: t of the similarity.
        bias: b of the similarity.
        order: 1 or 2.

    Returns:
        The coefficients; their standard errors are nan.

    Raises:
        InvalidParameterError: there are fewer independent coalitions than coefficients, more coefficients than memory
            is given to, or p is too near 0 or 1 for so few coalitions.
    """
    check_presence(image, text)
    gram_image, moment_image = _moments(image, order)
    gram_text, moment_text = _moments(text, order)
    right = scale * moment_image @ moment_text.T
    try:
        if np.abs(gram_text - np.eye(len(gram_text))).max() < _ORTHONORMAL_TO:
            solved = _by_text_coalition(gram_image, right, image.n, text.n, order)
        else:
            solved = _jointly(gram_image, gram_text, right, image.n, text.n, order)
    except np.linalg.LinAlgError as error:
        raise _too_few(image, text, order) from error
    return GameFit.without_errors(_assemble(solved, image.n, text.n, bias, order))


def _moments(tower: TowerSample, order: int) -> tuple[FloatArray, FloatArray]:
    """Gram matrix (F, F) and Phi^T W E (F, D) of a tower, accumulated over chunks of rows."""
    n_features = count_features(tower.n, order)
    check_size(n_features)
    gram = np.zeros((n_features, n_features), order="F")
    moment = np.zeros((n_features, tower.embeddings.shape[1]))
    chi, weights = tower.sample.chi, tower.sample.weights
    for start in range(0, len(chi), _ROWS_PER_CHUNK):
        rows = slice(start, start + _ROWS_PER_CHUNK)
        phi = features(chi[rows], order)
        weighted = phi * weights[rows, None]
        # In place: a product of its own would take the matrix's memory once more.
        lapack.add_product(gram, phi, weighted)
        moment += weighted.T @ tower.embeddings[rows]
    return gram, moment


def _by_text_coalition(gram: FloatArray, right: FloatArray, n: int, n_text: int, order: int) -> FloatArray:
    """(F_I, F_T) coefficients, zero beyond the joint order, where the text features are orthonormal."""
    solved = np.zeros_like(right)
    sizes = [1, 1 + n, len(gram)]
    stops = [0, 1, 1 + n_text, right.shape[1]]
    # The whole matrix last: solving uses it up.
    for text_order in reversed(range(order + 1)):
        size = sizes[order - text_order]
        columns = slice(stops[text_order], stops[text_order + 1])
        block = gram[:size, :size].copy() if text_order else gram
        solved[:size, columns] = solve_definite(block, right[:size, columns])
    return solved


def _jointly(
    gram_image: FloatArray, gram_text: FloatArray, right: FloatArray, n: int, n_text: int, order: int
) -> FloatArray:
    """(F_I, F_T) coefficients, zero beyond the joint order, for any product sample."""
    orders_image, orders_text = _orders(len(gram_image), n), _orders(len(gram_text), n_text)
    rows, columns = np.nonzero(orders_image[:, None] + orders_text[None, :] <= order)
    check_size(len(rows))
    gram = gram_image[np.ix_(rows, rows)]
    for start in range(0, len(rows), _ROWS_PER_CHUNK):
        part = slice(start, start + _ROWS_PER_CHUNK)
        gram[part] *= gram_text[np.ix_(columns[part], columns)]
    solved = np.zeros_like(right)
    solved[rows, columns] = solve_definite(gram, right[rows, columns])
    return solved


def _orders(n_features: int, n: int) -> np.ndarray:
    return np.where(np.arange(n_features) == 0, 0, np.where(np.arange(n_features) <= n, 1, 2))


def _assemble(solved: FloatArray, n: int, n_text: int, bias: float, order: int) -> Coefficients:
    """Joint coefficients from the (F_I, F_T) table of products of features."""
    second = np.zeros((n + n_text, n + n_text))
    if order == 2:
        second[:n, :n] = symmetric(solved[1 + n :, 0], n)
        second[n:, n:] = symmetric(solved[0, 1 + n_text :], n_text)
    second[:n, n:] = solved[1 : 1 + n, 1 : 1 + n_text]
    second[n:, :n] = second[:n, n:].T
    first = np.concatenate([solved[1 : 1 + n, 0], solved[0, 1 : 1 + n_text]])
    return Coefficients(float(solved[0, 0]) + bias, first, second)


def _too_few(image: TowerSample, text: TowerSample, order: int) -> InvalidParameterError:
    needed, needed_text = count_features(image.n, order), count_features(text.n, order)
    return InvalidParameterError(
        f"least squares cannot tell {needed} image coefficients apart from {len(image.sample)} image passes "
        f"({len(text.sample)} text passes, for {needed_text}); raise the budget well above {needed} or use "
        "estimator 'gp'",
        field="budget",
    )
