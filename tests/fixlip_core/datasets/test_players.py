from __future__ import annotations

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.datasets import NamedObject, Sample, SceneDataset, object_regions
from fixlip_core.datasets.players import covered_shares
from fixlip_core.demo.scenes import draw_scene


def identity(side: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1)


class TestShares:
    def test_of_patches_that_are_cut(self) -> None:
        mask = np.zeros((8, 8), bool)
        mask[:4, :6] = True
        shares = covered_shares(mask, identity(8), (2, 2))
        np.testing.assert_array_equal(shares, [[1, 0.5], [0, 0]])

    def test_padding_is_covered_by_nothing(self) -> None:
        source = identity(8)
        source[:, 4:] = -1
        np.testing.assert_array_equal(covered_shares(np.ones((8, 8), bool), source, (2, 2)), [[1, 0], [1, 0]])

    def test_of_a_quadrant_on_an_odd_grid(self) -> None:
        mask = np.zeros((42, 42), bool)
        mask[:21, :21] = True
        shares = covered_shares(mask, identity(42), (7, 7))
        assert shares.mean() == pytest.approx(0.25)
        np.testing.assert_allclose(shares[3], [0.5, 0.5, 0.5, 0.25, 0, 0, 0])


class TestRegions:
    def test_are_those_of_the_scenes(self, demo: fx.DualEncoder) -> None:
        for index in range(8):
            sample = SceneDataset().sample(index)
            scene = draw_scene(index, n_objects=1 + index % 4)
            tokens = demo.players(sample.caption).tokens
            regions = object_regions(demo, sample)
            for k, thing in enumerate(scene.objects):
                of_thing = [t for t, region in regions.items() if np.array_equal(region, scene.patches_of(k, (8, 8)))]
                assert [tokens[t] for t in of_thing] == [thing.colour, thing.shape]
            assert len(regions) == 2 * len(scene.objects)

    def test_every_token_of_a_word_belongs_to_it(self, demo: fx.DualEncoder) -> None:
        named = (NamedObject("schipperke", np.ones((128, 128), bool)),)
        sample = Sample("x", np.zeros((128, 128, 3), np.uint8), "A Schipperke!", named, 0.1)
        tokens = demo.players(sample.caption).tokens
        assert len(tokens) > 3
        assert sorted(object_regions(demo, sample)) == list(range(1, len(tokens) - 1))
        assert sorted(object_regions(demo, sample, text_players="word")) == [1]

    def test_shares_where_no_least_one_is_given(self, demo: fx.DualEncoder) -> None:
        mask = np.zeros((128, 128), bool)
        mask[:8, :16] = True
        pair = (np.zeros((128, 128, 3), np.uint8), "a dog", (NamedObject("dog", mask),))
        assert object_regions(demo, Sample("x", *pair, None))[1][0, 0] == 0.5
        assert object_regions(demo, Sample("x", *pair, 0.5))[1][0, 0] == 1
        # Nothing of it is seen, so nothing can point to it.
        assert object_regions(demo, Sample("x", *pair, 0.6)) == {}
