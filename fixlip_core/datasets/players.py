"""A sample's objects as players of a model: which text players name one, and which patches show it."""

from __future__ import annotations

import numpy as np

from fixlip_core.captions import clean_caption, tokenize_caption
from fixlip_core.datasets.phrases import find_phrases
from fixlip_core.datasets.sample import Sample
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.grouping import words_of
from fixlip_core.types import BoolArray, FloatArray, IntArray

__all__ = ["covered_shares", "object_regions"]


def object_regions(encoder: DualEncoder, sample: Sample, *, text_players: str = "token") -> dict[int, FloatArray]:
    """For each text player that names an object: (rows, columns), how much of each patch shows it, from 0 to 1.

    A phrase is sought in the caption as the model reads it; every token that has a character of it belongs to it, and
    so does the word of such a token. An object of which the model sees nothing, because it was cropped away or is too
    small, is left out.

    Args:
        encoder: whose tokens and patches are meant.
        sample: the pair.
        text_players: ``token`` or ``word``: who plays, as in the explanation that is to be judged.

    Raises:
        InvalidCaptionError: the caption cannot be used with this model.
    """
    card = encoder.card
    height, width = sample.image.shape[:2]
    source = encoder.source_of_view((width, height))
    shown = {}
    for thing in sample.objects:
        shares = covered_shares(thing.mask, source, card.grid)
        # Shares are ratios of small whole numbers, which round.
        seen = shares if sample.least_share is None else (shares >= sample.least_share - 1e-12).astype(np.float64)
        shown[clean_caption(thing.phrase, tokenizer=card.tokenizer)] = seen
    text = clean_caption(sample.caption, tokenizer=card.tokenizer)
    spans = tokenize_caption(sample.caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens).spans
    owners = words_of(text, spans)[0] if text_players == "word" else range(len(spans))
    regions: dict[int, FloatArray] = {}
    for phrase, places in find_phrases(text, shown).items():
        for token, (start, stop) in enumerate(spans):
            if shown[phrase].any() and any(start < end and begin < stop for begin, end in places):
                regions[owners[token]] = shown[phrase]
    return dict(sorted(regions.items()))


def covered_shares(mask: BoolArray, source: IntArray, grid: tuple[int, int]) -> FloatArray:
    """(rows, columns) the share of each patch that a mask covers.

    Args:
        mask: (h, w) bool over the submitted image.
        source: (H, W, 2) row and column in that image of each pixel of the view; -1 in padding, which no mask covers.
        grid: (rows, columns) of patches.
    """
    rows, columns = grid
    height, width = source.shape[:2]
    seen = (source >= 0).all(axis=-1)
    covered = np.zeros((height, width))
    covered[seen] = mask[source[seen, 0], source[seen, 1]]
    patch = (np.arange(height) * rows // height)[:, None] * columns + np.arange(width) * columns // width
    sums = np.bincount(patch.ravel(), covered.ravel(), minlength=rows * columns)
    return np.asarray((sums / np.bincount(patch.ravel(), minlength=rows * columns)).reshape(grid))
