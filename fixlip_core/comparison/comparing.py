"""Explanations of one pair on common players, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from fixlip_core.comparison.measures import Agreement, Part, agreement
from fixlip_core.comparison.patches import CommonImage, align_image
from fixlip_core.comparison.words import CommonText, align_text
from fixlip_core.errors import InvalidParameterError, NotComparableError
from fixlip_core.explanation import Explanation
from fixlip_core.frames import Frame
from fixlip_core.players import Players
from fixlip_core.types import FloatArray

__all__ = ["Comparison", "compare"]

_MOST: Final = 0.5
"""Share of the largest part of a player's value that other parts must have to be told of."""

_OF_THE_PAIR = {"caption": "captions", "image_width": "pictures", "image_height": "pictures"}
"""What of the provenance must be equal, and what is not the same where it differs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Several explanations of one pair, on players that they share. Values keep each explanation's own units.

    Attributes:
        players: the common players.
        frame: the part of the picture that the common grid lies over; None where it is not known.
        image: (explanations, n_image) main effects of the image players, or what an attribution gives them.
        text: (explanations, n_text) those of the text players.
        pairs: of each explanation, (n_image, n_text) values of the cross-modal pairs; None where it has none.
        common: of each explanation and each of its own players, in their order, the common players that have most of
            its value: several where it is shared out, none where it lies outside the common part of the picture.
        agreements: of every two explanations: image, text and pairs.
        notes: what was done to bring the values together, in sentences; explanations are counted from 1.
    """

    players: Players
    frame: Frame | None
    image: FloatArray
    text: FloatArray
    pairs: tuple[FloatArray | None, ...]
    common: tuple[tuple[tuple[int, ...], ...], ...]
    agreements: tuple[Agreement, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pairs)

    def values(self, part: Part, index: int) -> FloatArray | None:
        """The values of one explanation in one part; None where it has none."""
        return self.pairs[index] if part == "pairs" else (self.image if part == "image" else self.text)[index]

    def greatest(self, part: Part, index: int) -> float:
        """Greatest absolute value of one explanation in one part: what :meth:`difference` divides by."""
        values = self.values(part, index)
        return 0.0 if values is None else float(np.abs(values).max(initial=0.0))

    def scaled(self, part: Part, index: int) -> FloatArray | None:
        """:meth:`values` as shares of the greatest absolute one, from -1 to 1; zeros stay zeros."""
        values, limit = self.values(part, index), self.greatest(part, index)
        return values if values is None or limit == 0 else np.asarray(values / limit)

    def difference(self, part: Part, index: int, other: int) -> FloatArray:
        """The scaled values of one explanation less those of another, from -2 to 2.

        Explanations have different units: logits, cosines, or an attribution's own. Each is therefore measured by its
        own greatest absolute value in the part, which all have; v(full) - v(empty) means nothing to an attribution.

        Raises:
            NotComparableError: one of the two has no values of pairs.
        """
        one, another = self.scaled(part, index), self.scaled(part, other)
        if one is None or another is None:
            raise NotComparableError("there is no difference of pairs: an explanation has no values of pairs")
        return np.asarray(one - another)


def compare(explanations: Sequence[Explanation], *, grid: tuple[int, int] | None = None) -> Comparison:
    """Bring explanations of one pair, by several models or methods, to common players, and measure their agreement.

    Players that are the same stay as they are. Else patches are resampled by area to the coarsest grid over the part
    of the picture that all models saw, and tokens are summed to the caption's words. Sums stay the same.

    Args:
        explanations: two or more of the same image and caption. That the image is the same is checked as far as
            explanations tell: by its size, and by what a model saw of it.
        grid: (rows, columns) to resample to instead.

    Raises:
        InvalidParameterError: a value is not finite, or ``grid`` has no patches.
        NotComparableError: fewer than two explanations, or of different pairs.
    """
    _check(explanations)
    image, text = align_image(explanations, grid=grid), _common_text(explanations)
    effects = [np.split(e.main_effects(), [e.n_image]) for e in explanations]
    of_image = np.stack([share @ parts[0] for share, parts in zip(image.shares, effects, strict=True)])
    of_text = np.stack([share @ parts[1] for share, parts in zip(text.shares, effects, strict=True)])
    pairs = tuple(_pairs(e, *shares) for e, *shares in zip(explanations, image.shares, text.shares, strict=True))
    return Comparison(
        players=Players(image.grid, text.tokens, image.regions, image.region_labels),
        frame=image.frame,
        image=of_image,
        text=of_text,
        pairs=pairs,
        common=tuple(
            (*_common(patches), *_common(tokens, first=len(patches)))
            for patches, tokens in zip(image.shares, text.shares, strict=True)
        ),
        agreements=_agreements(of_image, of_text, pairs),
        notes=_notes(explanations, image, text),
    )


def _check(explanations: Sequence[Explanation]) -> None:
    if len(explanations) < 2:
        raise NotComparableError("a comparison needs two explanations or more")
    for explanation in explanations:
        if not (np.isfinite(explanation.first).all() and np.isfinite(explanation.second).all()):
            raise InvalidParameterError("values must be finite to be compared", field="explanation")
    for name, noun in _OF_THE_PAIR.items():
        found = {e.provenance[name] for e in explanations if e.provenance.get(name) is not None}
        if len(found) > 1:
            raise NotComparableError(f"the explanations are of different {noun}: {_listed(found)}")
    views: dict[object, set[object]] = {}
    for explanation in explanations:
        views.setdefault(explanation.provenance.get("model_revision"), set()).add(
            explanation.provenance.get("view_sha256")
        )
    if any(len(seen) > 1 for model, seen in views.items() if model is not None):
        raise NotComparableError("the explanations are of different pictures: one model saw different views")


def _listed(found: set[str | int | float | None]) -> str:
    return " and ".join(sorted(repr(value) for value in found))


def _common_text(explanations: Sequence[Explanation]) -> CommonText:
    captions = [e.provenance["caption"] for e in explanations if e.provenance.get("caption") is not None]
    return align_text(str(captions[0]) if captions else None, [e.tokens for e in explanations])


def _pairs(explanation: Explanation, image: FloatArray, text: FloatArray) -> FloatArray | None:
    return None if explanation.order == 1 else np.asarray(image @ explanation.cross @ text.T)


def _common(shares: FloatArray, *, first: int = 0) -> list[tuple[int, ...]]:
    """Of each player, the common ones that have most of its value, counted from ``first``."""
    has_most = (shares > 0) & (shares >= _MOST * shares.max(axis=0))
    return [tuple((first + np.flatnonzero(column)).tolist()) for column in has_most.T]


def _agreements(image: FloatArray, text: FloatArray, pairs: Sequence[FloatArray | None]) -> tuple[Agreement, ...]:
    found = []
    for i, j in combinations(range(len(pairs)), 2):
        found.append(agreement((i, j), "image", image[i], image[j]))
        found.append(agreement((i, j), "text", text[i], text[j]))
        found.append(agreement((i, j), "pairs", pairs[i], pairs[j]))
    return tuple(found)


def _notes(explanations: Sequence[Explanation], image: CommonImage, text: CommonText) -> tuple[str, ...]:
    units = {e.score if e.additive else e.index for e in explanations}
    notes = (*image.notes, *text.notes)
    if len(units) > 1:
        notes += (f"the values have different units ({', '.join(sorted(units))}): compare ranks and scaled values",)
    return notes
