from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from fixlip_core.datasets.coco_masks import decode_runs, fill_polygons, read_runs


def as_text(counts: list[int]) -> str:
    """COCO's text form, written from its definition."""
    characters = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        while True:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            characters.append(chr(48 + (bits | 0x20 if more else bits)))
            if not more:
                break
    return "".join(characters)


class TestPolygons:
    def test_union_of_their_insides(self) -> None:
        mask = fill_polygons([[0, 0, 3, 0, 3, 3, 0, 3], [2, 2, 4, 2, 4, 4, 2, 4], [6, 5, 12, 5, 12, 11]], (8, 10))
        expected = np.zeros((8, 10), bool)
        expected[:3, :3] = expected[2:4, 2:4] = True
        # What lies beyond the picture's edge is cut off; a middle on the left edge of a polygon is inside.
        expected[5, 6:] = expected[6, 7:] = expected[7, 8:] = True
        np.testing.assert_array_equal(mask, expected)

    def test_as_many_pixels_as_their_area(self) -> None:
        rng = np.random.default_rng(0)
        difference = 0.0
        for _ in range(50):
            angles, radii = np.sort(rng.uniform(0, 2 * np.pi, 9)), rng.uniform(3, 14, 9)
            x, y = rng.uniform(15, 45) + radii * np.cos(angles), rng.uniform(15, 45) + radii * np.sin(angles)
            area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
            difference += fill_polygons([np.stack([x, y], axis=1).ravel().tolist()], (60, 60)).sum() / area - 1
        assert abs(difference) / 50 < 0.02

    @pytest.mark.parametrize("corners", [[0, 0, 1, 1], [0, 0, 1, 1, 2]])
    def test_half_corners_are_refused(self, corners: list[float]) -> None:
        with pytest.raises(ValueError, match="three corners"):
            fill_polygons([corners], (4, 4))


class TestRuns:
    def test_go_down_the_columns(self) -> None:
        np.testing.assert_array_equal(decode_runs([1, 2, 3], (3, 2)), [[0, 0], [1, 0], [1, 0]])

    @pytest.mark.parametrize("counts", [[3, 2], [7], [9, -3], []])
    def test_must_be_those_of_the_picture(self, counts: list[int]) -> None:
        with pytest.raises(ValueError, match="3 x 2"):
            decode_runs(counts, (3, 2))

    @pytest.mark.parametrize("counts", [[0, 6], [1, 2, 3], [5], [40, 3, 1000, 2, 40_000, 1, 0, 31, 32, 1_000_000]])
    def test_as_text(self, counts: list[int]) -> None:
        assert read_runs(as_text(counts)) == tuple(counts)

    def test_a_known_text(self) -> None:
        # 1 and 2 are themselves; 37 = 5 + (1 << 5), lowest bits first; 4 is written as 4 - 2.
        assert read_runs("12U12") == (1, 2, 37, 4)

    def test_random_masks_survive(self) -> None:
        rng = np.random.default_rng(0)
        for _ in range(20):
            mask = rng.random((13, 17)) < 0.3
            runs = [(inside, len(list(run))) for inside, run in groupby(mask.T.ravel().tolist())]
            counts = [0] * runs[0][0] + [length for _, length in runs]
            np.testing.assert_array_equal(decode_runs(read_runs(as_text(counts)), (13, 17)), mask)

    @pytest.mark.parametrize(("text", "message"), [("1\n", "character"), ("1P", "end within")])
    def test_damaged_text_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            read_runs(text)
