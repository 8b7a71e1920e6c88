"""Data sets by name, as the command line writes them."""

from __future__ import annotations

from pathlib import Path

from fixlip_core.datasets.coco import CocoDataset
from fixlip_core.datasets.mosaics import MosaicDataset
from fixlip_core.datasets.sample import Dataset
from fixlip_core.datasets.scenes import SceneDataset
from fixlip_core.errors import InvalidParameterError

__all__ = ["open_dataset"]


def open_dataset(name: str, *, seed: int = 0) -> Dataset:
    """The data set called ``name``: ``demo``, ``coco:DIR`` or ``mosaics:DIR``.

    Args:
        name: the kind, and for those that are read from a folder, that folder.
        seed: draws the scenes or mosaics, or the order of the pictures.

    Raises:
        InvalidParameterError: there is no such kind.
        DatasetError: the folder is not what that kind reads.
    """
    kind, _, folder = name.partition(":")
    if name == "demo":
        return SceneDataset(seed)
    if kind == "coco" and folder:
        return CocoDataset.open(Path(folder), seed=seed)
    if kind == "mosaics" and folder:
        return MosaicDataset.open(Path(folder), seed=seed)
    raise InvalidParameterError(f"data must be demo, coco:DIR or mosaics:DIR, not {name!r}", field="data")
