"""A model's image transform taken apart: the view that the model sees, its pixels, and what stands in for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter

from fixlip_core.defaults import BLUR_SHARE
from fixlip_core.encoders.protocol import ImageRemoval
from fixlip_core.errors import InvalidParameterError
from fixlip_core.images import to_rgb
from fixlip_core.types import ImageArray, ImageInput, IntArray

__all__ = ["Pictures"]

_TENSOR_STEPS = ("ToTensor", "MaybeToTensor", "PILToTensor")


@dataclass(frozen=True)
class Pictures:
    """open_clip's evaluation transform, in its two halves.

    Args:
        preprocess: the transform: resizing and cropping of PIL images, then tensor and normalisation.
    """

    preprocess: Any

    def view(self, image: ImageInput) -> ImageArray:
        """(H, W, 3) uint8: what the model sees of ``image``. The view of a view is itself.

        Raises:
            InvalidImageError: ``image`` is no picture.
        """
        picture = to_rgb(image)
        for step in self._steps(on_tensors=False):
            picture = step(picture)
        return np.asarray(picture, dtype=np.uint8)

    def source_of_view(self, size: tuple[int, int]) -> IntArray:
        """(H, W, 2): row and column of the pixel, in an image of ``size`` (width, height), that the view shows; or -1.

        Ramps go through the model's own steps, whatever these are: resizing keeps a ramp a ramp, and padding shows.
        """
        width, height = size
        # One up, so that the zeros of padding lie outside.
        ramps = np.meshgrid(np.arange(height) + 1, np.arange(width) + 1, indexing="ij")
        shown = []
        for ramp, end in zip(ramps, (height, width), strict=True):
            picture: Any = Image.fromarray(ramp.astype(np.float32))
            for step in self._steps(on_tensors=False):
                picture = picture if _changes_mode(step) else step(picture)
            pixels = np.asarray(picture)
            places = np.clip(np.rint(pixels) - 1, 0, end - 1)
            shown.append(np.where(pixels < 0.25, -1, places).astype(np.intp))
        return np.stack(shown, axis=-1)

    def pixels(self, view: ImageArray) -> torch.Tensor:
        """(1, 3, H, W) float32: the view as the model takes it, normalised."""
        picture: Any = Image.fromarray(view)
        for step in self._steps(on_tensors=True):
            picture = step(picture)
        pixels: torch.Tensor = picture[None]
        return pixels

    def baseline(self, view: ImageArray, removal: ImageRemoval) -> torch.Tensor:
        """(1, 3, H, W) float32: what removed pixels become: zero after normalisation, the mean colour, or the blur.

        Raises:
            InvalidParameterError: ``removal`` is none of these.
        """
        if removal == "zero":
            return torch.zeros_like(self.pixels(view))
        if removal == "mean":
            pixels = self.pixels(view)
            return pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels)
        if removal == "blur":
            radius = BLUR_SHARE * min(view.shape[:2])
            return self.pixels(np.asarray(Image.fromarray(view).filter(ImageFilter.GaussianBlur(radius))))
        raise InvalidParameterError(f"removal must be zero, mean or blur, not {removal!r}", field="image_removal")

    def hidden(self, view: ImageArray, removal: ImageRemoval) -> ImageArray:
        """(H, W, 3) uint8: :meth:`baseline` as a picture, rounded to 8 bits.

        Raises:
            InvalidParameterError: ``removal`` is unknown.
        """
        # Normalisation is linear, channel by channel: two shades tell how to undo it.
        black, white = (self.pixels(np.full_like(view, shade)) for shade in (0, 255))
        shades = 255 * (self.baseline(view, removal) - black) / (white - black)
        return np.asarray(shades[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy())

    def _steps(self, *, on_tensors: bool) -> list[Callable[[Any], Any]]:
        """The transform's steps from the first tensor on, or those before it."""
        steps = list(self.preprocess.transforms)
        first = next(k for k, step in enumerate(steps) if type(step).__name__ in _TENSOR_STEPS)
        return steps[first:] if on_tensors else steps[:first]


def _changes_mode(step: Callable[[Any], Any]) -> bool:
    """Whether a step turns pictures into RGB, which ramps must not become."""
    return "_convert_to_rgb" in (type(step).__name__, getattr(step, "__name__", "")) or (
        type(step).__name__ == "MaybeConvertMode"
    )
