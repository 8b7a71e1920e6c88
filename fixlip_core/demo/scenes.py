"""Synthetic scenes with known boxes: coloured shapes on cluttered backgrounds, and captions that name them.

The demo encoder is trained on these scenes; demos, tests and metrics draw fresh ones. A scene is a pure
function of its seed, so a scene can be named by a number and drawn again anywhere.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from fixlip_core.demo import shapes
from fixlip_core.types import ImageArray

__all__ = ["COLOURS", "SHAPES", "Scene", "SceneObject", "describe", "draw_scene"]

IMAGE_SIZE_PX = 128
SUPERSAMPLING = 2
SIZE_RANGE_PX = (26, 58)
SMALL_BELOW_PX = 34
LARGE_ABOVE_PX = 48
MARGIN_PX = 3
COUNT_WEIGHTS = (0.15, 0.30, 0.30, 0.25)

# Hue in [0, 1), saturation and value: far enough apart to be told from one another after jitter.
COLOURS: dict[str, tuple[float, float, float]] = {
    "blue": (0.615, 0.85, 0.85),
    "cyan": (0.500, 0.80, 0.90),
    "green": (0.340, 0.80, 0.65),
    "orange": (0.080, 0.95, 1.00),
    "pink": (0.920, 0.45, 1.00),
    "purple": (0.770, 0.75, 0.65),
    "red": (0.995, 0.90, 0.85),
    "yellow": (0.155, 0.85, 0.98),
}
SHAPES: tuple[str, ...] = tuple(sorted(shapes.OUTLINES))

_OPENINGS = ("", "", "", "a picture of ", "there is ", "a drawing with ", "this shows ", "an image of ")


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One shape of a scene; ``box`` is (left, top, right, bottom) in pixels, right and bottom exclusive."""

    colour: str
    shape: str
    box: tuple[int, int, int, int]

    @property
    def side_px(self) -> int:
        """Longest side of the box, pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def size_word(self) -> str:
        """``small``, ``large``, or nothing where the size is neither."""
        if self.side_px < SMALL_BELOW_PX:
            return "small"
        return "large" if self.side_px > LARGE_ABOVE_PX else ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A drawn scene: ``image`` (128, 128, 3) uint8, its ``caption`` and its ``objects`` with their boxes."""

    seed: int
    image: ImageArray
    caption: str
    objects: tuple[SceneObject, ...]

    @property
    def content(self) -> tuple[tuple[str, str], ...]:
        """Sorted (colour, shape) pairs: two scenes of one content are described by each other's captions."""
        return tuple(sorted((o.colour, o.shape) for o in self.objects))

    def patches_of(self, index: int, grid: tuple[int, int]) -> np.ndarray:
        """(H, W) bool: the patches of ``grid`` that object ``index`` touches.

        A patch counts when at least a tenth of it lies in the object's box.
        """
        left, top, right, bottom = self.objects[index].box
        height, width = self.image.shape[:2]
        rows = _overlap(grid[0], height, top, bottom)
        columns = _overlap(grid[1], width, left, right)
        return np.outer(rows, columns) >= 0.1


def _overlap(cells: int, length: int, start: int, stop: int) -> np.ndarray:
    """(cells,) share of each of ``cells`` equal intervals of [0, length) that [start, stop) covers."""
    edges = np.linspace(0, length, cells + 1)
    covered = np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start)
    return np.asarray(np.clip(covered, 0, None) / (length / cells))


def draw_scene(seed: int, *, n_objects: int | None = None) -> Scene:
    """Draw the scene of ``seed``; with ``n_objects`` (1 to 4) given, one with that many shapes.

    Raises:
        ValueError: ``n_objects`` is not 1, 2, 3 or 4.
    """
    if n_objects is not None and n_objects not in (1, 2, 3, 4):
        raise ValueError(f"n_objects must be 1, 2, 3 or 4, not {n_objects!r}")
    rng = np.random.default_rng([seed, 0 if n_objects is None else n_objects])
    count = n_objects or int(rng.choice(4, p=COUNT_WEIGHTS)) + 1
    canvas = _background(rng)
    pen = ImageDraw.Draw(canvas)
    _clutter(pen, rng)
    kinds = rng.choice(len(COLOURS) * len(SHAPES), size=count, replace=False)
    boxes = _place(rng, count)
    objects = []
    for kind, box in zip(kinds, boxes, strict=True):
        colour = tuple(COLOURS)[kind % len(COLOURS)]
        shape = SHAPES[kind // len(COLOURS)]
        _draw_object(pen, rng, colour, shape, box)
        objects.append(SceneObject(colour, shape, box))
    image = np.asarray(canvas.reduce(SUPERSAMPLING), dtype=np.float32)
    image += np.float32(rng.uniform(0, 8)) * rng.standard_normal(image.shape, dtype=np.float32)
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    pixels.flags.writeable = False
    return Scene(seed, pixels, describe(tuple(objects), rng), tuple(objects))


def describe(objects: tuple[SceneObject, ...], rng: np.random.Generator) -> str:
    """A caption that names every object, in one of several templates drawn with ``rng``."""
    order = [objects[i] for i in rng.permutation(len(objects))]
    if len(order) == 2 and rng.random() < 0.3:
        relation = _relation(order[0], order[1])
        if relation:
            return f"{_phrase(order[0], rng)} {relation} {_phrase(order[1], rng)}"
    phrases = [_phrase(o, rng) for o in order]
    if rng.random() < 0.15:
        return ", ".join(phrase.removeprefix("a ").removeprefix("an ") for phrase in phrases)
    listing = phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return str(rng.choice(_OPENINGS)) + listing


def _phrase(thing: SceneObject, rng: np.random.Generator) -> str:
    size = thing.size_word if rng.random() < 0.3 else ""
    words = " ".join(word for word in (size, thing.colour, thing.shape) if word)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _relation(first: SceneObject, second: SceneObject) -> str:
    """Where ``first`` lies from ``second``; empty when neither axis clearly separates them."""
    dx = (first.box[0] + first.box[2] - second.box[0] - second.box[2]) / 2
    dy = (first.box[1] + first.box[3] - second.box[1] - second.box[3]) / 2
    if abs(dx) > 2 * abs(dy):
        return "left of" if dx < 0 else "right of"
    if abs(dy) > 2 * abs(dx):
        return "above" if dy < 0 else "below"
    return ""


def _background(rng: np.random.Generator) -> Image.Image:
    """A grey-ish plane with a linear gradient: low saturation, so that no shape's colour is confused with it."""
    side = IMAGE_SIZE_PX * SUPERSAMPLING
    corners = [colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.18), rng.uniform(0.1, 0.95)) for _ in range(2)]
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-0.5, 0.5, 16)
    ramp = np.clip(0.5 + np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None], 0, 1)[..., None]
    strength = rng.uniform(0.1, 0.6)
    low, high = np.asarray(corners[0]), np.asarray(corners[0]) * (1 - strength) + np.asarray(corners[1]) * strength
    plane = (255 * (low * (1 - ramp) + high * ramp)).astype(np.uint8)
    return Image.fromarray(plane).resize((side, side), Image.Resampling.BILINEAR)


def _clutter(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Thin grey lines and dots behind the shapes: things that the caption does not name."""
    side = IMAGE_SIZE_PX * SUPERSAMPLING
    for _ in range(int(rng.integers(0, 9))):
        grey = int(rng.integers(40, 216))
        x, y, dx, dy = rng.uniform(0, side), rng.uniform(0, side), *rng.uniform(-80, 80, 2)
        if rng.random() < 0.5:
            pen.line((x, y, x + dx, y + dy), fill=(grey, grey, grey), width=int(rng.integers(1, 5)))
        else:
            radius = rng.uniform(2, 8)
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(grey, grey, grey))


def _place(rng: np.random.Generator, count: int) -> list[tuple[int, int, int, int]]:
    """Boxes that do not touch. Sizes are drawn afresh when a box finds no place, so the loop ends."""
    while True:
        boxes: list[tuple[int, int, int, int]] = []
        for _ in range(20 * count):
            side = int(rng.integers(*SIZE_RANGE_PX))
            left, top = (int(v) for v in rng.integers(1, IMAGE_SIZE_PX - side, 2))
            box = (left, top, left + side, top + side)
            if all(_apart(box, other) for other in boxes):
                boxes.append(box)
            if len(boxes) == count:
                return boxes


def _apart(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[2] + MARGIN_PX <= b[0] or b[2] + MARGIN_PX <= a[0] or a[3] + MARGIN_PX <= b[1] or b[3] + MARGIN_PX <= a[1]


def _draw_object(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, colour: str, shape: str, box: tuple[int, int, int, int]
) -> None:
    hue, saturation, value = COLOURS[colour]
    jitter = rng.uniform(-1, 1, 3) * (0.012, 0.06, 0.06)
    rgb = colorsys.hsv_to_rgb((hue + jitter[0]) % 1.0, min(saturation + jitter[1], 1.0), min(value + jitter[2], 1.0))
    fill = tuple(round(255 * channel) for channel in rgb)
    centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    points = SUPERSAMPLING * (centre + (box[2] - box[0]) / 2 * shapes.OUTLINES[shape])
    pen.polygon([(float(x), float(y)) for x, y in points], fill=fill)
