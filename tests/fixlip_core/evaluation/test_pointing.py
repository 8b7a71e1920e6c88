"""Pointing-game recognition: the oracles, then its rules one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation import Pointing, pointing_game, quadrant_shares
from fixlip_core.explanation import Explanation
from fixlip_core.types import FloatArray
from tests.support.explanations import attribution, example, with_regions

GRID = (4, 6)
TOKENS = ("cat", "dog", "and")
GRIDS = [(4, 6), (7, 7), (5, 3), (1, 1), (14, 14)]


def of_cross(cross: FloatArray, *, grid: tuple[int, int] = GRID) -> Explanation:
    """An explanation of these cross-modal values, with much besides that must not count."""
    n_image, n_text = cross.shape
    n = n_image + n_text
    second = np.full((n, n), -3.0)
    second[:n_image, n_image:], second[n_image:, :n_image] = cross, cross.T
    np.fill_diagonal(second, 0)
    return dataclasses.replace(
        example(),
        grid=grid,
        tokens=TOKENS[:n_text],
        first=np.full(n, 100.0),
        second=second,
        first_std_error=np.zeros(n),
        second_std_error=np.zeros((n, n)),
    )


def uniform(value: float, grid: tuple[int, int] = GRID) -> Explanation:
    return of_cross(np.full((grid[0] * grid[1], 2), value), grid=grid)


@pytest.mark.parametrize("quadrant", range(4))
def test_all_positive_inside_is_perfect(quadrant: int) -> None:
    mask = quadrant_shares(GRID)[quadrant] > 0
    assert pointing_game(of_cross(mask.reshape(-1, 1) * 2.0), {0: mask}).ratio == 1.0
    assert pointing_game(of_cross(mask.reshape(-1, 1) * -2.0), {0: mask}).ratio == 0.0


@pytest.mark.parametrize("grid", GRIDS)
def test_uniform_values_have_the_share_of_a_quadrant(grid: tuple[int, int]) -> None:
    for shares in quadrant_shares(grid):
        assert pointing_game(uniform(0.3, grid), {0: shares, 1: shares}).ratio == pytest.approx(0.25)
        assert pointing_game(uniform(-0.3, grid), {0: shares}).ratio == pytest.approx(0.75)


@pytest.mark.parametrize("grid", GRIDS)
def test_quadrants_share_out_the_picture(grid: tuple[int, int]) -> None:
    shares = quadrant_shares(grid)
    assert shares.shape == (4, *grid)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    np.testing.assert_allclose(shares.sum(axis=(1, 2)), grid[0] * grid[1] / 4)
    assert np.array_equal(shares[0], shares[3][::-1, ::-1])
    assert shares[1][0, -1] >= shares[1][-1, -1]
    assert shares[2][-1, 0] >= shares[2][0, 0]


def test_values_of_all_objects_are_added_up() -> None:
    cross = np.zeros((24, 3))
    cross[0, 0], cross[23, 0] = 2.0, 1.0  # the first inside, the second not
    cross[0, 1], cross[23, 1] = -4.0, -8.0
    cross[:, 2] = 1_000.0  # whose object nobody asked for
    top_left = quadrant_shares(GRID)[0]
    assert pointing_game(of_cross(cross), {0: top_left, 1: top_left}) == Pointing(correct=10.0, wrong=5.0)
    assert pointing_game(of_cross(cross), {0: top_left, 1: top_left}).ratio == pytest.approx(2 / 3)


def test_nothing_that_points_has_no_ratio() -> None:
    assert np.isnan(pointing_game(uniform(0.0), {0: np.ones(GRID, bool)}).ratio)
    assert np.isnan(pointing_game(uniform(1.0), {}).ratio)


def test_methods_of_the_first_order_point_with_their_patches_for_every_token() -> None:
    e = attribution()
    mask = np.zeros(e.grid, bool)
    mask[0, 1] = True
    values, inside = e.first[: e.n_image], mask.ravel()
    correct = np.abs(values[(values > 0) == inside]).sum()
    found = pointing_game(e, {0: mask, 2: mask})
    assert found.correct == pytest.approx(2 * correct)
    assert found.wrong == pytest.approx(2 * (np.abs(values).sum() - correct))


def test_regions_are_shared_out_among_their_patches() -> None:
    e = with_regions()
    mask = np.zeros(e.grid, bool)
    mask[0, :2] = True  # two of the three patches of region 0, none of another
    found = pointing_game(e, {1: mask})
    of_region = e.cross[0, 1]
    assert found.correct + found.wrong == pytest.approx(np.abs(e.cross[:, 1]).sum())
    others = np.maximum(-e.cross[1:, 1], 0).sum()
    assert found.correct == pytest.approx(others + max(of_region, 0) * 2 / 3 + max(-of_region, 0) / 3)


@pytest.mark.parametrize(
    ("token", "region", "message"),
    [
        (3, np.ones((2, 3)), "from 0 to 2"),
        (-1, np.ones((2, 3)), "from 0 to 2"),
        (0, np.ones((3, 2)), "shape"),
        (0, np.full((2, 3), 1.5), "shares"),
        (0, np.full((2, 3), np.nan), "shares"),
    ],
)
def test_what_is_no_region_is_refused(token: int, region: FloatArray, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        pointing_game(example(), {token: region})
