"""Caption retrieval: the figure by which the demo encoder is judged."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from fixlip_core.types import Embeddings

__all__ = ["Retrieval", "top1_among"]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Share of images whose own caption scores highest among ``n_captions``.

    ``distinct`` counts a caption of the same content as right (it describes the image as well); ``strict`` counts
    only the image's own caption.
    """

    n_captions: int
    distinct: float
    strict: float

    def __str__(self) -> str:
        return f"{self.distinct:.3f} (captions of the same content counted against it: {self.strict:.3f})"


def top1_among(
    images: Embeddings, captions: Embeddings, contents: Sequence[Hashable], *, n_captions: int, seed: int
) -> Retrieval:
    """Top-1 retrieval of each image's caption among itself and ``n_captions - 1`` other images' captions.

    Args:
        images: (m, D) unit embeddings.
        captions: (m, D) unit embeddings; row k belongs to image k.
        contents: what image k shows; captions of equal content describe each other's images.
        n_captions: captions to choose among, the right one included.
        seed: draws the other captions.
    """
    rng = np.random.default_rng(seed)
    scores = images @ captions.T
    strict = distinct = 0
    for k in range(len(images)):
        others = rng.choice(len(images) - 1, size=n_captions - 1, replace=False)
        candidates = np.append(others + (others >= k), k)
        best = int(candidates[np.argmax(scores[k, candidates])])
        strict += best == k
        distinct += contents[best] == contents[k]
    return Retrieval(n_captions, distinct / len(images), strict / len(images))
