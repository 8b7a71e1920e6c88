"""The result of every method: a value for each player and each pair of players, and views of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from fixlip_core.errors import InvalidParameterError, NotAdditiveError
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, FloatArray

if TYPE_CHECKING:
    import shapiq

__all__ = ["Explanation", "Interaction"]

ADDITIVE = frozenset({"WFBII", "WBV", "FSII", "SV"})
"""Indices whose values add up to a model of the game; the others are attributions."""
ROUNDING = 1e-8
"""Greatest difference between the triangles of a symmetric matrix, relative to its largest value."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """The value of one pair of players, with its standard error (nan where there is none)."""

    players: tuple[int, int]
    labels: tuple[str, str]
    value: float
    std_error: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """An account of the similarity of an image and a caption by players and pairs of players.

    An *additive* one models the game: ``v(x) ~ baseline + sum_i first[i] x_i + sum_{i<j} second[i, j] x_i x_j`` for a
    coalition x in {0, 1}^n (FIxLIP, arXiv 2508.05430). The others are attributions: they share a score out among
    players (``order`` 1, ``second`` is zero) or among pairs of an image and a text player (exCLIP: ``first`` is zero),
    predict nothing, and have neither baseline nor p. Arrays are float64 and read-only; values are in units of
    ``score`` unless the method has its own.

    Attributes:
        tokens: the text players: the caption's content tokens or words, as text.
        grid: (rows, columns) of patches.
        regions: empty where every patch is a player; else the image player of every patch, row-major, from 0.
        region_labels: what the regions are called; empty: by their numbers.
        baseline: e_0, with v(empty) in it: the prediction for the empty coalition; nan for attributions.
        first: (n,) values of single players: those of the image (patches row-major, or regions), then of the text.
        second: (n, n) values of pairs, symmetric, zero diagonal. What sums in another order leave of a difference
            between the triangles is taken away.
        first_std_error: (n,) standard errors, nan where the solver gives none.
        second_std_error: (n, n) likewise.
        empty_value: v(empty), all players removed.
        full_value: v(full), all players present.
        estimated_r2: the explanation's R^2 over coalitions of its own measure, estimated from the passes it was
            fitted on (leave-one-out); nan where the solver gives none.
        method: name of the method.
        index: interaction index: ``WFBII`` (``WBV`` at order 1) or ``FSII`` (``SV``), which are additive; else the
            attribution's own name, such as ``exCLIP``.
        order: highest order of interaction, 1 or 2.
        p: probability of presence under which the values were fitted; nan for other measures.
        score: ``logit`` or ``cosine``: what v measures.
        image_passes: forward passes of the image tower that were used.
        text_passes: forward passes of the text tower that were used.
        provenance: seed, budget, estimator, dtype, device, digests and versions: JSON scalars by name.
    """

    tokens: tuple[str, ...]
    grid: tuple[int, int]
    baseline: float
    first: FloatArray
    second: FloatArray
    first_std_error: FloatArray
    second_std_error: FloatArray
    empty_value: float
    full_value: float
    method: str
    index: str
    order: int
    p: float
    score: str
    image_passes: int
    text_passes: int
    regions: tuple[int, ...] = ()
    region_labels: tuple[str, ...] = ()
    estimated_r2: float = float("nan")
    provenance: Mapping[str, str | int | float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = self.n_players
        shapes = {"first": (n,), "second": (n, n), "first_std_error": (n,), "second_std_error": (n, n)}
        for name, shape in shapes.items():
            array: FloatArray = np.array(getattr(self, name), dtype=np.float64)
            if array.shape != shape:
                raise InvalidParameterError(f"{name} must have shape {shape}, not {array.shape}", field=name)
            if array.ndim == 2:
                array = _symmetric(array, name)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))

    @property
    def players(self) -> Players:
        """The players behind the values' indices."""
        return Players(self.grid, self.tokens, self.regions, self.region_labels)

    @property
    def n_players(self) -> int:
        """n: image and text players together."""
        return len(self.players)

    @property
    def n_image(self) -> int:
        """Number of image players: patches or regions."""
        return self.players.n_image

    @property
    def n_text(self) -> int:
        """Number of text players: tokens or words."""
        return len(self.tokens)

    @property
    def additive(self) -> bool:
        """Whether the values model the game, so that :meth:`predict` has a meaning."""
        return self.index in ADDITIVE

    @property
    def cross(self) -> FloatArray:
        """(n_image, n_text) values of the cross-modal pairs; a view."""
        return self.second[: self.n_image, self.n_image :]

    def predict(self, coalitions: Coalitions) -> FloatArray:
        """(m,) the explanation's values of (m, n) coalitions.

        Raises:
            InvalidParameterError: ``coalitions`` is not of shape (m, n).
            NotAdditiveError: the explanation is an attribution.
        """
        if not self.additive:
            raise NotAdditiveError(f"{self.index} attributes the {self.score}; it does not predict coalitions' values")
        return np.asarray(self.baseline + self.attributed(coalitions))

    def attributed(self, coalitions: Coalitions) -> FloatArray:
        """(m,) sums of the values of all players, and pairs, that are in each of (m, n) coalitions.

        For an additive explanation, the predictions less the baseline.

        Raises:
            InvalidParameterError: ``coalitions`` is not of shape (m, n).
        """
        present = np.asarray(coalitions)
        if present.ndim != 2 or present.shape[1] != self.n_players:
            raise InvalidParameterError(
                f"coalitions must have shape (m, {self.n_players}), not {present.shape}", field="coalitions"
            )
        x = present.astype(np.float64)
        return np.asarray(x @ self.first + 0.5 * np.einsum("mi,mi->m", x @ self.second, x))

    def main_effects(self) -> FloatArray:
        """(n,) first-order view: e_i + p sum_j e_ij, a player's mean effect on others' coalitions.

        For an index without p (Shapley, attributions), half of every pair: p = 1/2.
        """
        p = 0.5 if np.isnan(self.p) else self.p
        return np.asarray(self.first + p * self.second.sum(axis=1))

    def conditional(self, token_index: int) -> FloatArray:
        """(rows, columns) the interactions of every patch, or of its region, with one text player.

        Raises:
            InvalidParameterError: there is no such token.
        """
        if not 0 <= token_index < len(self.tokens):
            raise InvalidParameterError(
                f"token_index must be from 0 to {len(self.tokens) - 1}, not {token_index}", field="token_index"
            )
        return self.players.spread(self.cross[:, token_index])

    def top_interactions(self, k: int, *, cross_modal: bool = False) -> tuple[Interaction, ...]:
        """The ``k`` pairs of greatest absolute value, strongest first.

        With ``cross_modal`` only those of an image and a text player.
        """
        rows, columns = np.triu_indices(self.n_players, 1)
        if cross_modal:
            keep = (rows < self.n_image) & (columns >= self.n_image)
            rows, columns = rows[keep], columns[keep]
        strongest = np.argsort(-np.abs(self.second[rows, columns]), kind="stable")[:k]
        players = self.players
        return tuple(
            Interaction(
                players=(i, j),
                labels=(players.label(i), players.label(j)),
                value=float(self.second[i, j]),
                std_error=float(self.second_std_error[i, j]),
            )
            for i, j in zip(rows[strongest].tolist(), columns[strongest].tolist(), strict=True)
        )

    def save(self, path: str | Path) -> None:
        """Write the explanation as ``.npz`` (exact) or ``.json`` (exact; also loads in shapiq), whole or not at all.

        Raises:
            FormatError: the path ends in neither.
        """
        from fixlip_core import formats

        formats.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Explanation:
        """Read what :meth:`save` wrote.

        Raises:
            FormatError: the file is damaged or of another format.
            FileNotFoundError: there is no such file.
        """
        from fixlip_core import formats

        return formats.load(Path(path))

    def to_shapiq(self) -> shapiq.InteractionValues:
        """The same values as a ``shapiq.InteractionValues``.

        Raises:
            ImportError: shapiq is not installed.
        """
        from fixlip_core import formats

        return formats.to_shapiq(self)


def _symmetric(matrix: FloatArray, name: str) -> FloatArray:
    """The upper triangle mirrored: exact, where ``matrix`` was symmetric but for rounding.

    Raises:
        InvalidParameterError: it was not.
    """
    largest = np.abs(matrix).max(initial=0.0, where=~np.isnan(matrix))
    if not np.allclose(matrix, matrix.T, rtol=0.0, atol=ROUNDING * largest, equal_nan=True):
        raise InvalidParameterError(f"{name} must be symmetric", field=name)
    return np.asarray(np.triu(matrix) + np.triu(matrix, 1).T)
