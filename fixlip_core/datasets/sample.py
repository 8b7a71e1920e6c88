"""What every data set gives: a picture, a caption, and masks of the objects that the caption names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fixlip_core.types import BoolArray, ImageArray

__all__ = ["Dataset", "NamedObject", "Sample"]


@dataclass(frozen=True, slots=True, eq=False)
class NamedObject:
    """An object, or all objects of one kind, that the caption names.

    Attributes:
        phrase: the words by which the caption names it, in the singular.
        mask: (H, W) bool, its pixels in the sample's image.
    """

    phrase: str
    mask: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A pair to explain.

    Attributes:
        id: names it within its data set.
        image: (H, W, 3) uint8.
        caption: what is said of it.
        objects: those that the caption names.
        least_share: the share of a patch that an object must cover for the patch to show it; None: every patch counts
            by the share of it that is covered.
    """

    id: str
    image: ImageArray
    caption: str
    objects: tuple[NamedObject, ...]
    least_share: float | None


class Dataset(Protocol):
    """Samples by number; the same number gives the same sample on every machine."""

    @property
    def name(self) -> str:
        """What it is called in reports; two data sets of one name have the same samples."""
        ...

    @property
    def size(self) -> int | None:
        """How many samples there are; None where they are made on demand and never end."""
        ...

    def sample(self, index: int) -> Sample:
        """Sample ``index``, from 0.

        Raises:
            DatasetError: a file that it needs is missing or cannot be used.
        """
        ...
