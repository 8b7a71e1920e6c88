from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.comparison.patches import align_image
from fixlip_core.errors import InvalidParameterError, NotComparableError
from fixlip_core.frames import Frame
from fixlip_core.types import FloatArray
from tests.fixlip_core.comparison.conftest import Make

WHOLE = Frame(0.0, 0.0, 80.0, 60.0)
MIDDLE = Frame(10.0, 0.0, 70.0, 60.0)


def resampled(share: FloatArray, values: FloatArray, grid: tuple[int, int]) -> FloatArray:
    return np.asarray(share @ np.ravel(values)).reshape(grid)


def test_the_same_patches_stay_what_they_are(make: Make) -> None:
    common = align_image([make(), make(seed=1)])
    assert (common.grid, common.regions, common.notes, common.frame) == ((2, 2), (), (), None)
    for share in common.shares:
        np.testing.assert_array_equal(share, np.eye(4))


def test_the_same_regions_stay_what_they_are(make: Make) -> None:
    regions, labels = (0, 0, 1, 1), ("sky", "sea")
    given = {"regions": regions, "region_labels": labels}
    common = align_image([make(**given), make(seed=1, **given)])
    assert (common.regions, common.region_labels, common.notes) == (regions, labels, ())
    np.testing.assert_array_equal(common.shares[1], np.eye(2))


def test_a_finer_grid_is_summed_to_the_coarser(make: Make) -> None:
    common = align_image([make((2, 2)), make((4, 4))])
    values = np.arange(16.0).reshape(4, 4)
    expected = values.reshape(2, 2, 2, 2).sum(axis=(1, 3))
    assert common.grid == (2, 2)
    np.testing.assert_allclose(resampled(common.shares[1], values, (2, 2)), expected)
    assert common.notes == (
        "explanation 2: values of 4 x 4 patches are resampled by area to 2 x 2; their sum stays the same",
    )


def test_patches_that_are_cut_are_shared_out_by_area(make: Make) -> None:
    common = align_image([make((1, 3)), make((1, 2))])
    assert common.grid == (1, 2)
    np.testing.assert_allclose(common.shares[0], [[1, 0.5, 0], [0, 0.5, 1]])


@pytest.mark.parametrize("grids", [((3, 5), (4, 2)), ((7, 7), (14, 14)), ((24, 24), (16, 16)), ((1, 1), (5, 3))])
def test_sums_stay_what_they_are(make: Make, grids: tuple[tuple[int, int], tuple[int, int]]) -> None:
    common = align_image([make(grid) for grid in grids])
    for share in common.shares:
        np.testing.assert_allclose(share.sum(axis=0), 1.0)
        assert share.min() >= 0


def test_resampling_there_and_back_keeps_a_smooth_map(make: Make) -> None:
    """A map whose density is linear in the place is resampled exactly: each common patch has its integral."""
    fine = align_image([make((1, 3)), make((1, 12))])
    edges = np.linspace(0, 1, 13)
    integral = np.diff(edges**2)
    np.testing.assert_allclose(fine.shares[1] @ integral, np.diff(np.linspace(0, 1, 4) ** 2))


def test_a_grid_may_be_asked_for(make: Make) -> None:
    common = align_image([make(), make(seed=1)], grid=(1, 1))
    assert common.grid == (1, 1)
    np.testing.assert_array_equal(common.shares[0], np.ones((1, 4)))
    with pytest.raises(InvalidParameterError, match="1 or more") as caught:
        align_image([make(), make()], grid=(0, 2))
    assert caught.value.field == "grid"


def test_regions_are_spread_over_their_patches(make: Make) -> None:
    common = align_image([make(regions=(0, 0, 0, 1)), make()])
    np.testing.assert_allclose(common.shares[0] @ [3.0, 5.0], [1, 1, 1, 5])
    assert common.regions == ()
    assert common.notes[0].startswith("explanation 1: each region's value is spread evenly")


def test_what_not_all_models_saw_is_left_out(make: Make) -> None:
    """One model saw the picture squeezed, 8 x 6 patches of 10 pixels; the other its middle, 6 x 6 of the same size."""
    common = align_image([make((6, 8), frame=WHOLE), make((6, 6), frame=MIDDLE)])
    assert (common.grid, common.frame) == ((6, 6), MIDDLE)
    values = np.arange(48.0).reshape(6, 8)
    np.testing.assert_allclose(resampled(common.shares[0], values, (6, 6)), values[:, 1:7])
    np.testing.assert_allclose(common.shares[1], np.eye(36))
    assert common.notes[-1].startswith("explanation 1: 25% of its image players lie outside")


def test_the_largest_patches_make_the_grid(make: Make) -> None:
    common = align_image([make((2, 2), frame=MIDDLE), make((8, 8), frame=WHOLE)])
    assert (common.grid, common.frame) == ((2, 2), MIDDLE)


def test_frames_that_differ_by_less_than_they_are_known_are_one(make: Make) -> None:
    other = Frame(0.3, -0.2, 79.8, 60.1)
    common = align_image([make(frame=WHOLE), make(seed=1, frame=other)])
    assert common.frame == WHOLE
    np.testing.assert_array_equal(common.shares[1], np.eye(4))


def test_no_common_part(make: Make) -> None:
    with pytest.raises(NotComparableError, match="no common part"):
        align_image([make(frame=Frame(0.0, 0.0, 10.0, 60.0)), make(frame=Frame(20.0, 0.0, 80.0, 60.0))])


def test_frames_that_are_not_known_are_taken_for_one_and_that_is_said(make: Make) -> None:
    same = align_image([make(known={"model_revision": "a"}), make(known={"model_revision": "a"})])
    assert same.notes == ()
    other = align_image([make(known={"model_revision": "a"}, frame=WHOLE), make(known={"model_revision": "b"})])
    assert "not known" in other.notes[0]
    assert other.frame is None
