"""Mosaics of two by two pictures of known classes, for the pointing game (FIxLIP, arXiv 2508.05430).

A folder of pictures by class, ``ROOT/CLASS/*.jpg``, as ImageNet is laid out. Each mosaic shows four classes; its
caption has the words of one to four of them, in an order of its own. A method should connect the words with their
quadrants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from fixlip_core.datasets.files import digest_of, pictures_in, read_picture, read_text
from fixlip_core.datasets.sample import NamedObject, Sample
from fixlip_core.errors import DatasetError

__all__ = ["MosaicDataset"]

QUADRANT_PX: Final = 224
CLASS_NAMES: Final = "classes.txt"


@dataclass(frozen=True, slots=True)
class MosaicDataset:
    """Mosaic ``index`` has a caption of ``1 + index % 4`` of its four classes.

    Build it with :meth:`open`.

    Attributes:
        root: the folder.
        classes: the classes' words, and each one's pictures, sorted.
        digest: of the classes' words and the pictures' names.
        seed: draws classes, pictures and places.
    """

    root: Path
    classes: Mapping[str, tuple[Path, ...]]
    digest: str
    seed: int

    @classmethod
    def open(cls, root: Path, *, seed: int = 0) -> MosaicDataset:
        """The mosaics of a folder.

        A class's words are its folder's name, underscores read as blanks. Where ``ROOT/classes.txt`` is there, they
        are what it says behind the folder's name, up to the first comma: ImageNet's ``LOC_synset_mapping.txt`` will do.

        Raises:
            DatasetError: there is no such folder, it has pictures of fewer than four classes, or ``classes.txt`` has
                no line for one of them.
        """
        if not root.is_dir():
            raise DatasetError(f"{root} is no folder; mosaics need one with a folder of pictures for each class")
        names = _class_names(root / CLASS_NAMES)
        found: dict[str, tuple[Path, ...]] = {}
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            pictures = pictures_in(folder)
            if not pictures:
                continue
            if names is not None and folder.name not in names:
                raise DatasetError(f"{root / CLASS_NAMES} has no line that begins with {folder.name!r}")
            words = names[folder.name] if names is not None else folder.name.replace("_", " ").strip()
            # ImageNet has two classes called crane; a caption cannot tell them apart, so here they are one.
            found[words] = (*found.get(words, ()), *pictures)
        if len(found) < 4:
            raise DatasetError(f"{root} has pictures of {len(found)} classes; mosaics need at least 4")
        listing = (f"{words}\t{path.parent.name}/{path.name}" for words in sorted(found) for path in found[words])
        return cls(root, found, digest_of(listing), seed)

    @property
    def name(self) -> str:
        """``mosaics``, the folder, the digest and the seed."""
        return f"mosaics of {self.root.name} ({self.digest}, seed {self.seed})"

    @property
    def size(self) -> int | None:
        """They never end."""
        return None

    def sample(self, index: int) -> Sample:
        """Mosaic ``index``.

        Raises:
            DatasetError: a picture cannot be read.
        """
        rng = np.random.default_rng([self.seed, index])
        n_named = 1 + index % 4
        words = [sorted(self.classes)[k] for k in rng.choice(len(self.classes), size=4, replace=False)]
        side = 2 * QUADRANT_PX
        canvas = np.zeros((side, side, 3), dtype=np.uint8)
        objects = []
        # The four were drawn in no order, so their places are too.
        for quadrant, name in enumerate(words):
            pictures = self.classes[name]
            row, column = (QUADRANT_PX * place for place in divmod(quadrant, 2))
            place = np.s_[row : row + QUADRANT_PX, column : column + QUADRANT_PX]
            canvas[place] = _square(read_picture(pictures[rng.integers(len(pictures))]))
            mask = np.zeros((side, side), dtype=np.bool_)
            mask[place] = True
            objects.append(NamedObject(name, mask))
        named = tuple(objects[k] for k in rng.permutation(4)[:n_named])
        caption = " ".join(thing.phrase for thing in named)
        return Sample(f"mosaic-{self.seed}-{index}", canvas, caption, named, least_share=None)


def _square(picture: Image.Image) -> np.ndarray:
    """The middle of a picture, as large as a quadrant."""
    return np.asarray(ImageOps.fit(picture, (QUADRANT_PX, QUADRANT_PX), Image.Resampling.BICUBIC))


def _class_names(path: Path) -> dict[str, str] | None:
    """The classes' words by their folders' names; None where there is no such file."""
    if not path.exists():
        return None
    names = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        folder, _, words = line.strip().partition(" ")
        first = words.split(",")[0].strip()
        if folder and not first:
            raise DatasetError(f"{path}, line {number}: wanted a folder's name, a blank and the class's words")
        if folder:
            names[folder] = first
    return names
