"""The one call: an encoder, an image and a caption in, an explanation out."""

from __future__ import annotations

from typing import Any

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
from fixlip_core.methods import Progress, get_method, parse_parameters
from fixlip_core.types import ImageInput

__all__ = ["explain"]


def explain(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    *,
    method: str = "fixlip",
    progress: Progress | None = None,
    **parameters: Any,
) -> Explanation:
    """Explain why ``image`` and ``caption`` are similar to ``encoder``.

    Args:
        encoder: what :func:`fixlip_core.load_encoder` gave.
        image: a PIL image or an (H, W, 3) uint8 array.
        caption: text with at least one word, no longer than the model's context.
        method: name of a method; ``fixlip`` by default.
        progress: called between batches with (completed, total) forward passes; what it raises stops the work.
        parameters: the method's own, by name. For ``fixlip`` those of
            :class:`fixlip_core.methods.FixlipParameters`: ``p=0.5``, ``order=2``, ``budget=512`` (image passes; text
            passes are chosen by cost), ``estimator="gp"``, ``score="logit"``, ``seed=0``.

    Raises:
        InvalidImageError: the image is no picture.
        InvalidCaptionError: the caption cannot be used with this model.
        UnknownMethodError: there is no such method.
        InvalidParameterError: a parameter is out of range or unknown; ``field`` names it.
    """
    spec = get_method(method)
    return spec.run(encoder, image, caption, parse_parameters(spec.parameters, parameters), progress)
