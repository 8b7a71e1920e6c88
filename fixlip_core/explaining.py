"""The one call: an encoder, an image and a caption in, an explanation out."""

from __future__ import annotations

import time
from typing import Any

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import DeadlineExceededError, InvalidParameterError
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
    deadline_s: float | None = None,
    **parameters: Any,
) -> Explanation:
    """Explain why ``image`` and ``caption`` are similar to ``encoder``.

    Args:
        encoder: what :func:`fixlip_core.load_encoder` gave.
        image: a PIL image or an (H, W, 3) uint8 array.
        caption: text with at least one word, no longer than the model's context.
        method: name of a method; ``fixlip`` by default.
        progress: called between batches with (completed, total) forward passes; what it raises stops the work.
        deadline_s: seconds after which the work is stopped, between two batches; None: never.
        parameters: the method's own, by name. For ``fixlip`` those of
            :class:`fixlip_core.methods.FixlipParameters`: ``index="banzhaf"``, ``p=0.5``, ``order=2``, ``budget=512``
            (image passes; text passes follow from their cost; ``"auto"`` adds passes until ``target_r2``),
            ``estimator="gp"``, ``score="logit"``, ``regions`` or ``boxes``, ``text_players="token"``, ``seed=0`` ...

    Raises:
        InvalidImageError: the image is no picture.
        InvalidCaptionError: the caption cannot be used with this model.
        UnknownMethodError: there is no such method.
        InvalidParameterError: a parameter is out of range or unknown; ``field`` names it.
        UnsupportedModelError: the method reads attention, which this model does not show.
        DeadlineExceededError: the time was up.
    """
    spec = get_method(method)
    checked = parse_parameters(spec.parameters, parameters)
    if deadline_s is not None:
        given: object = deadline_s
        if not isinstance(given, int | float) or not given > 0:
            raise InvalidParameterError(f"deadline_s must be seconds above 0, not {deadline_s!r}", field="deadline_s")
        progress = _until(time.monotonic() + deadline_s, deadline_s, progress)
    return spec.run(encoder, image, caption, checked, progress)


def _until(deadline: float, given_s: float, progress: Progress | None) -> Progress:
    """``progress``, and a look at the clock."""

    def report(completed: int, total: int) -> None:
        # What is done is done: a result that came late is better than none.
        if completed < total and time.monotonic() > deadline:
            raise DeadlineExceededError(
                f"stopped after {given_s} s with {completed} of {total} forward passes done; ask for less or allow more"
            )
        if progress is not None:
            progress(completed, total)

    return report
