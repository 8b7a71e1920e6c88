"""Confidence drop and increase (M2IB, arXiv 2312.17174): the score of what an explanation says that matters.

The picture x is multiplied by the map m of its patches' values: drop = max(0, s(x) - s(x m)), and increase = 1 where
s(x m) > s(x), else 0. Of the caption, the better half of the players is left. The score s is the cosine, as published,
whatever the explanation is of: a logit goes with it, and methods that explain the one or the other can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.evaluation.explained import explained_game
from fixlip_core.evaluation.saliency import saliency_of, to_unit_range
from fixlip_core.explanation import Explanation
from fixlip_core.game import SimilarityGame
from fixlip_core.types import BoolArray, FloatArray, ImageArray, ImageInput

__all__ = ["Confidence", "better_half", "confidence", "multiplied"]


@dataclass(frozen=True, slots=True)
class Confidence:
    """Cosines of what is kept, and what they say.

    Attributes:
        full_value: s of the whole pair.
        image_value: s of the picture multiplied by its map and the whole caption; nan where all image players have the
            same value, so that there is no map.
        text_value: s of the whole picture and the better half of the caption; nan where there is one text player alone.
    """

    full_value: float
    image_value: float
    text_value: float

    @property
    def image_drop(self) -> float:
        """max(0, s(x) - s(x m)): less is better."""
        return _drop(self.full_value, self.image_value)

    @property
    def image_increase(self) -> float:
        """1 where the score rises, else 0; its mean over pairs is the share of them."""
        return _increase(self.full_value, self.image_value)

    @property
    def text_drop(self) -> float:
        """The same of the caption's better half."""
        return _drop(self.full_value, self.text_value)

    @property
    def text_increase(self) -> float:
        """The same of the caption's better half."""
        return _increase(self.full_value, self.text_value)


def confidence(encoder: DualEncoder, image: ImageInput, caption: str, explanation: Explanation) -> Confidence:
    """Score what ``explanation`` keeps of its pair, by two passes of each tower.

    Args:
        encoder: the model that was explained.
        image: the image that was explained.
        caption: the caption that was explained.
        explanation: what to judge; its removals say what stands in for what it does not keep.

    Raises:
        InvalidParameterError: the explanation belongs to other players than this pair has.
    """
    game = replace(explained_game(encoder, image, caption, explanation), scale=1.0, bias=0.0)
    of_image, of_text = saliency_of(explanation)
    weights = to_unit_range(of_image)
    whole = np.ones((1, len(of_image)), dtype=bool)
    full_image = game.image_embeddings(whole)[0]
    full_text, half_text = game.text_embeddings(np.stack([np.ones(len(of_text), dtype=bool), better_half(of_text)]))
    of_map = full_image
    if weights is not None:
        shown = multiplied(game, weights)
        of_map = replace(game, view=shown).image_embeddings(whole)[0]
    scores = game.similarity(
        np.stack([full_image, of_map, full_image]).astype(np.float64),
        np.stack([full_text, full_text, half_text]).astype(np.float64),
    )
    return Confidence(
        full_value=float(scores[0]),
        image_value=float(scores[1]) if weights is not None else float("nan"),
        text_value=float(scores[2]) if len(of_text) > 1 else float("nan"),
    )


def multiplied(game: SimilarityGame, weights: FloatArray) -> ImageArray:
    """(H, W, 3) uint8: the view multiplied by a map, as a picture.

    As published, pixels are multiplied after normalisation, the map bilinearly enlarged to them: where it is 0, there
    is what stands in for a removed patch (with removal ``zero``, zero). Pixels are rounded to 8 bits.

    Args:
        game: whose view, and what stands in for a removed patch.
        weights: (n_image,) the map, each player's value from 0 to 1.
    """
    height, width = game.view.shape[:2]
    patches = Image.fromarray(game.players.spread(weights).astype(np.float32))
    share = np.asarray(patches.resize((width, height), Image.Resampling.BILINEAR))[:, :, None]
    hidden = game.encoder.hidden_view(game.view, removal=game.image_removal)
    mixed = share * game.view + (1 - share) * hidden
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def better_half(values: FloatArray) -> BoolArray:
    """(n,) bool: the greatest n // 2 of ``values``, at least one; of equal ones the first.

    The published script keeps what lies above the median, which is the same for distinct values.
    """
    kept = np.zeros(len(values), dtype=bool)
    kept[np.argsort(-values, kind="stable")[: max(1, len(values) // 2)]] = True
    return kept


def _drop(full: float, kept: float) -> float:
    return float(np.maximum(0.0, full - kept))


def _increase(full: float, kept: float) -> float:
    return float("nan") if np.isnan(kept) else float(kept > full)
