"""Which pairs of players an interaction graph shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fixlip_core.explanation import Explanation

__all__ = ["Kind", "Pair", "count_pairs", "strongest_pairs"]


class Kind(StrEnum):
    """Where the two players of a pair come from."""

    CROSS = "image\N{EN DASH}text"
    IMAGE = "image\N{EN DASH}image"
    TEXT = "text\N{EN DASH}text"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two players, the lower index first, and the value of their interaction."""

    players: tuple[int, int]
    kind: Kind
    value: float


def count_pairs(explanation: Explanation) -> dict[Kind, int]:
    """How many pairs of each kind have a value: an attribution of pairs has none within the image or the caption."""
    n_image, n_text = explanation.n_image, explanation.n_text
    counts = {Kind.CROSS: n_image * n_text}
    if explanation.additive:
        counts |= {Kind.IMAGE: n_image * (n_image - 1) // 2, Kind.TEXT: n_text * (n_text - 1) // 2}
    return counts


def strongest_pairs(explanation: Explanation, n_pairs: int) -> tuple[Pair, ...]:
    """At most ``n_pairs`` pairs of greatest absolute value, strongest first; none whose value is zero.

    Of the pairs within the image, and of those within the caption, at most a quarter of ``n_pairs`` are taken: a
    word or two that hang together, or neighbouring patches of one object, would otherwise fill the whole graph and
    hide how image and caption match.
    """
    rows, columns = np.triu_indices(explanation.n_players, 1)
    values = explanation.second[rows, columns]
    order = np.argsort(-np.abs(values), kind="stable")
    order = order[values[order] != 0]
    in_image = columns[order] < explanation.n_image
    in_text = rows[order] >= explanation.n_image
    most = max(1, n_pairs // 4)
    taken = ~(in_image & (np.cumsum(in_image) > most)) & ~(in_text & (np.cumsum(in_text) > most))
    order = order[taken][:n_pairs]
    kinds = np.select([in_image[taken], in_text[taken]], [Kind.IMAGE, Kind.TEXT], Kind.CROSS)[:n_pairs]
    return tuple(
        Pair((int(rows[k]), int(columns[k])), Kind(kind), float(values[k]))
        for k, kind in zip(order, kinds, strict=True)
    )
