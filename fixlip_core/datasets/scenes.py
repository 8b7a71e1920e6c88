"""Scenes of the demo generator, with 1 to 4 objects in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fixlip_core.datasets.sample import NamedObject, Sample
from fixlip_core.demo.scenes import Scene, SceneObject, draw_scene
from fixlip_core.types import BoolArray

__all__ = ["SceneDataset"]

SCENES_PER_SEED: Final = 10_000
LEAST_SHARE: Final = 0.1
"""As :meth:`fixlip_core.demo.scenes.Scene.patches_of`: a patch that sees a corner of a shape sees the shape."""


@dataclass(frozen=True, slots=True)
class SceneDataset:
    """Scene ``index`` has ``1 + index % 4`` objects. None of the scenes is one that the demo encoder was trained on.

    Args:
        seed: names the series; the first 10,000 scenes of two seeds have none in common.
    """

    seed: int = 0

    @property
    def name(self) -> str:
        """``demo``, and the seed."""
        return f"demo (seed {self.seed})"

    @property
    def size(self) -> int | None:
        """They never end."""
        return None

    def sample(self, index: int) -> Sample:
        """Scene ``index``; each object is its box, named by colour and shape."""
        n_objects = 1 + index % 4
        number = SCENES_PER_SEED * self.seed + index
        # A scene with a given number of objects comes from a stream of its own, which training never draws from.
        scene = draw_scene(number, n_objects=n_objects)
        objects = tuple(NamedObject(f"{thing.colour} {thing.shape}", _box(scene, thing)) for thing in scene.objects)
        return Sample(f"scene-{number}-{n_objects}", scene.image, scene.caption, objects, LEAST_SHARE)


def _box(scene: Scene, thing: SceneObject) -> BoolArray:
    mask = np.zeros(scene.image.shape[:2], dtype=np.bool_)
    left, top, right, bottom = thing.box
    mask[top:bottom, left:right] = True
    return mask
