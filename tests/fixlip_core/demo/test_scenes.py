"""Scenes: a function of the seed, boxes that hold their shapes, captions that say what is there."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from fixlip_core.demo.scenes import COLOURS, SHAPES, describe, draw_scene


@pytest.mark.parametrize("n_objects", [1, 2, 3, 4])
def test_as_many_objects_as_asked_for_and_none_touch(n_objects: int) -> None:
    for seed in range(10):
        scene = draw_scene(seed, n_objects=n_objects)
        assert len(scene.objects) == n_objects
        covered = np.zeros((128, 128), int)
        for thing in scene.objects:
            left, top, right, bottom = thing.box
            covered[top:bottom, left:right] += 1
        assert covered.max() == 1


def test_same_seed_same_scene() -> None:
    one, two = draw_scene(11), draw_scene(11)
    np.testing.assert_array_equal(one.image, two.image)
    assert one.caption == two.caption
    assert not np.array_equal(one.image, draw_scene(12).image)


def test_shapes_have_their_colour_and_lie_in_their_boxes() -> None:
    for seed in range(20):
        scene = draw_scene(seed)
        saturation = np.array([colorsys.rgb_to_hsv(*(pixel / 255))[1] for pixel in scene.image.reshape(-1, 3)]).reshape(
            128, 128
        )
        for thing in scene.objects:
            left, top, right, bottom = thing.box
            box = scene.image[top:bottom, left:right].reshape(-1, 3) / 255
            vivid = box[saturation[top:bottom, left:right].ravel() > 0.4]
            assert len(vivid) > 0.15 * len(box)
            hue = colorsys.rgb_to_hsv(*np.median(vivid, axis=0))[0]
            distance = abs(hue - COLOURS[thing.colour][0])
            assert min(distance, 1 - distance) < 0.05


def test_captions_name_every_object() -> None:
    for seed in range(50):
        scene = draw_scene(seed)
        for thing in scene.objects:
            assert f"{thing.colour} {thing.shape}" in scene.caption


def test_relations_and_sizes_are_true() -> None:
    rng = np.random.default_rng(0)
    seen = set()
    for seed in range(60):
        scene = draw_scene(seed, n_objects=2)
        for _ in range(10):
            caption = describe(scene.objects, rng)
            for word, axis, sign in (("left of", 0, -1), ("right of", 0, 1), ("above", 1, -1), ("below", 1, 1)):
                if f" {word} " not in caption:
                    continue
                seen.add(word)
                before, after = caption.split(f" {word} ")
                first = next(o for o in scene.objects if f"{o.colour} {o.shape}" in before)
                second = next(o for o in scene.objects if f"{o.colour} {o.shape}" in after)
                assert sign * (first.box[axis] - second.box[axis]) > 0
            for thing in scene.objects:
                if f"small {thing.colour} {thing.shape}" in caption:
                    assert thing.side_px < 34
                if f"large {thing.colour} {thing.shape}" in caption:
                    assert thing.side_px > 48
    assert len(seen) == 4


def test_patches_of_an_object_are_those_its_box_touches() -> None:
    scene = draw_scene(3, n_objects=1)
    left, top, right, bottom = scene.objects[0].box
    patches = scene.patches_of(0, (8, 8))
    assert patches[(top + bottom) // 32, (left + right) // 32]
    assert patches.sum() <= ((right - left) // 16 + 2) * ((bottom - top) // 16 + 2)


def test_every_kind_is_drawn_and_other_counts_are_refused() -> None:
    kinds = {kind for seed in range(400) for kind in draw_scene(seed).content}
    assert len(kinds) == len(COLOURS) * len(SHAPES)
    with pytest.raises(ValueError, match="1, 2, 3 or 4"):
        draw_scene(0, n_objects=5)
