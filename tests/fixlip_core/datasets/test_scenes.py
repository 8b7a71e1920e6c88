from __future__ import annotations

import numpy as np

from fixlip_core.datasets import Dataset, SceneDataset


def test_one_to_four_objects_in_turn() -> None:
    data: Dataset = SceneDataset()
    assert [len(data.sample(k).objects) for k in range(8)] == [1, 2, 3, 4] * 2
    assert data.size is None


def test_a_function_of_seed_and_number() -> None:
    one, again, other = (SceneDataset(seed).sample(5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.image, again.image)
    assert (one.id, one.caption) == (again.id, again.caption)
    assert one.id != other.id
    assert not np.array_equal(one.image, other.image)
    assert SceneDataset(1).name != SceneDataset(2).name


def test_captions_name_every_object() -> None:
    for k in range(12):
        sample = SceneDataset(3).sample(k)
        assert all(thing.phrase in sample.caption and thing.mask.any() for thing in sample.objects)
