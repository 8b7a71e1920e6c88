"""Patches, regions, tokens: who is who."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.errors import InvalidParameterError
from fixlip_core.players import Players

REGIONS = (0, 0, 0, 0, 1, 2, 0, 1, 1)


def test_every_patch_is_a_player_by_default() -> None:
    players = Players((2, 3), ("red", "circle"))
    assert (players.n_patches, players.n_image, players.n_text, len(players)) == (6, 6, 2, 8)
    assert [players.is_image(i) for i in (0, 5, 6)] == [True, True, False]
    assert players.position(4) == (1, 1)
    assert [players.label(i) for i in (4, 6, 7)] == ["r1c1", "red", "circle"]
    np.testing.assert_array_equal(players.spread(np.arange(6.0)), [[0, 1, 2], [3, 4, 5]])


def test_regions_take_the_place_of_patches() -> None:
    players = Players((3, 3), ("red",), REGIONS)
    assert (players.n_patches, players.n_image, players.n_text, len(players)) == (9, 3, 1, 4)
    assert [players.is_image(i) for i in (2, 3)] == [True, False]
    assert [players.label(i) for i in (0, 2, 3)] == ["region 0", "region 2", "red"]
    np.testing.assert_array_equal(players.owners, REGIONS)
    np.testing.assert_array_equal(players.spread(np.array([5.0, 6.0, 7.0])), [[5, 5, 5], [5, 6, 7], [5, 6, 6]])


def test_a_region_lies_at_the_patch_of_its_own_nearest_to_its_middle() -> None:
    ring = (0, 0, 0, 0, 1, 0, 0, 0, 0)
    players = Players((3, 3), (), ring)
    assert players.position(1) == (1, 1)
    assert players.position(0) in {(0, 1), (1, 0), (1, 2), (2, 1)}


@pytest.mark.parametrize(
    ("regions", "message"),
    [((0, 1), "each of the 9"), ((0, 0, 0, 0, 2, 2, 0, 0, 0), "without gaps"), ((-1, 0, 0, 0, 0, 1, 0, 0, 0), "gaps")],
)
def test_regions_that_are_none_are_refused(regions: tuple[int, ...], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message) as caught:
        Players((3, 3), (), regions)
    assert caught.value.field == "regions"


def test_regions_keep_their_names() -> None:
    players = Players((3, 3), ("red",), REGIONS, ("region 10", "region 30", "padding"))
    assert [players.label(i) for i in (0, 1, 2, 3)] == ["region 10", "region 30", "padding", "red"]


@pytest.mark.parametrize("regions", [REGIONS, ()], ids=["regions", "patches"])
def test_there_is_a_name_for_each_region(regions: tuple[int, ...]) -> None:
    with pytest.raises(InvalidParameterError, match=f"each of the {len(set(regions))} regions, not 2") as caught:
        Players((3, 3), (), regions, ("sky", "sea"))
    assert caught.value.field == "region_labels"
