"""Data sets for evaluation: pictures with captions, and where the objects that a caption names are."""

from __future__ import annotations

from fixlip_core.datasets.coco import CocoDataset
from fixlip_core.datasets.mosaics import MosaicDataset
from fixlip_core.datasets.opening import open_dataset
from fixlip_core.datasets.players import object_regions
from fixlip_core.datasets.sample import Dataset, NamedObject, Sample
from fixlip_core.datasets.scenes import SceneDataset

__all__ = [
    "CocoDataset",
    "Dataset",
    "MosaicDataset",
    "NamedObject",
    "Sample",
    "SceneDataset",
    "object_regions",
    "open_dataset",
]
