"""FIxLIP and its peers: why an image and a caption are similar to a vision-language encoder.

    import fixlip_core as fx

    encoder = fx.load_encoder("demo")
    explanation = fx.explain(encoder, image, "a red circle and a blue square")

Importing this package imports neither torch nor a plotting library; loading an encoder or drawing a map does.
"""

from __future__ import annotations

from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.loading import load_encoder
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import FixlipError, InputError
from fixlip_core.explaining import explain
from fixlip_core.explanation import Explanation, Interaction
from fixlip_core.game import SimilarityGame
from fixlip_core.players import Players

__all__ = [
    "DualEncoder",
    "Explanation",
    "FixlipError",
    "InputError",
    "Interaction",
    "ModelCard",
    "Players",
    "SimilarityGame",
    "explain",
    "load_encoder",
]
