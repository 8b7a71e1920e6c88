"""MS COCO (arXiv 1405.0312): photographs with captions, and outlines of the objects of 80 categories.

A folder as it is downloaded: ``annotations/captions_SPLIT.json``, ``annotations/instances_SPLIT.json``, and the
pictures in ``images/``, ``images/SPLIT/`` or ``SPLIT/``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fixlip_core.datasets.coco_files import Instance, Picture, Runs, find_split, read_split
from fixlip_core.datasets.coco_masks import decode_runs, fill_polygons, read_runs
from fixlip_core.datasets.files import digest_of, read_picture
from fixlip_core.datasets.phrases import find_phrases
from fixlip_core.datasets.sample import NamedObject, Sample
from fixlip_core.errors import DatasetError
from fixlip_core.types import BoolArray

__all__ = ["CocoDataset"]

MOST_KINDS: Final = 4
LEAST_SHARE: Final = 0.1
"""Objects are often smaller than a patch."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A picture, the caption that was chosen for it, and the instances of each category that the caption names."""

    picture: Picture
    caption: str
    named: Mapping[str, Sequence[Instance]]


@dataclass(frozen=True, slots=True)
class CocoDataset:
    """Pictures that have a caption which names one to four of the categories that are outlined in them.

    Of a picture's captions, the one that names most is taken; of equal ones, the first. A category is named by its own
    word, in the singular or a regular plural: "two dogs" names the dogs, "a puppy" does not.

    Build it with :meth:`open`.

    Attributes:
        root: the folder.
        split: such as ``val2017``.
        pictures: folder of the pictures.
        pairs: in the seed's order.
        seed: of the order.
    """

    root: Path
    split: str
    pictures: Path
    pairs: tuple[_Pair, ...]
    seed: int

    @classmethod
    def open(cls, root: Path, *, seed: int = 0) -> CocoDataset:
        """The pairs of a folder, in an order that ``seed`` draws.

        Raises:
            DatasetError: a file is missing or not what it should be, or no caption names anything.
        """
        split = find_split(root)
        folders = [root / "images" / split, root / split, root / "images"]
        pictures = next((folder for folder in folders if folder.is_dir()), None)
        if pictures is None:
            raise DatasetError(f"{root} has no pictures; wanted is one of {', '.join(map(str, folders))}")
        pairs = _pairs(root, split)
        if not pairs:
            raise DatasetError(f"{root}: no caption names a category that is outlined in its picture")
        order = np.random.default_rng(seed).permutation(len(pairs))
        return cls(root, split, pictures, tuple(pairs[k] for k in order), seed)

    @property
    def name(self) -> str:
        """``coco``, the split, a digest of the pictures' names and captions in their order, and the seed."""
        digest = digest_of(f"{pair.picture.file_name}\t{pair.caption}" for pair in self.pairs)
        return f"coco {self.split} ({digest}, seed {self.seed})"

    @property
    def size(self) -> int | None:
        """How many pairs there are."""
        return len(self.pairs)

    def sample(self, index: int) -> Sample:
        """Pair ``index``; each object is everything of its category.

        Raises:
            DatasetError: the picture is missing or not of the size that the annotations say, or an outline is damaged.
        """
        pair = self.pairs[index]
        path = self.pictures / pair.picture.file_name
        image = np.asarray(read_picture(path))
        size = (pair.picture.height, pair.picture.width)
        if image.shape[:2] != size:
            raise DatasetError(f"{path} has {image.shape[1]} x {image.shape[0]} pixels, not {size[1]} x {size[0]}")
        try:
            objects = tuple(
                NamedObject(name, np.logical_or.reduce([_mask(instance, size) for instance in instances]))
                for name, instances in pair.named.items()
            )
        except ValueError as error:
            raise DatasetError(f"{self.root}: instances of picture {pair.picture.id}: {error}") from error
        return Sample(f"coco-{pair.picture.id}", image, pair.caption, objects, LEAST_SHARE)


def _pairs(root: Path, split: str) -> list[_Pair]:
    """The pairs in the order of the pictures' ids."""
    captions, instances = read_split(root, split)
    names = {category.id: category.name for category in instances.categories}
    shown: dict[int, dict[str, list[Instance]]] = defaultdict(lambda: defaultdict(list))
    for position, instance in enumerate(instances.annotations):
        if instance.category_id not in names:
            where = f"{root}/annotations/instances_{split}.json: annotations[{position}].category_id"
            raise DatasetError(f"{where}: there is no category {instance.category_id}")
        shown[instance.image_id][names[instance.category_id]].append(instance)
    said: dict[int, list[str]] = defaultdict(list)
    for caption in captions.annotations:
        said[caption.image_id].append(caption.caption)
    pictures = sorted(captions.images, key=lambda picture: picture.id)
    phrases = tuple(names.values())
    chosen = (_choose(picture, said[picture.id], shown[picture.id], phrases) for picture in pictures)
    return [pair for pair in chosen if pair is not None]


def _choose(
    picture: Picture, captions: Sequence[str], shown: Mapping[str, Sequence[Instance]], phrases: Sequence[str]
) -> _Pair | None:
    """The picture with the caption that names most of what it shows, though not too much."""
    best = _Pair(picture, "", {})
    # A hot dog is no dog, whether it is outlined or not.
    sought = [phrase for phrase in phrases if any(name in phrase for name in shown)]
    for caption in captions:
        named = {name: shown[name] for name in sorted(find_phrases(caption, sought)) if name in shown}
        if len(best.named) < len(named) <= MOST_KINDS:
            best = _Pair(picture, caption.strip(), named)
    return best if best.named else None


def _mask(instance: Instance, size: tuple[int, int]) -> BoolArray:
    """(H, W) bool.

    Raises:
        ValueError: it is damaged.
    """
    outline = instance.segmentation
    if not isinstance(outline, Runs):
        return fill_polygons(outline, size)
    if outline.size != size:
        raise ValueError(f"a mask of {outline.size[0]} x {outline.size[1]} in a picture of {size[0]} x {size[1]}")
    return decode_runs(read_runs(outline.counts) if isinstance(outline.counts, str) else outline.counts, size)
