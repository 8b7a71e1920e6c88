from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fixlip_core as fx
from fixlip_core.datasets import Dataset, MosaicDataset, object_regions
from fixlip_core.errors import DatasetError

COLOURS = {"gold_fish": "gold", "husky": "navy", "pizza": "maroon", "tractor": "green", "plane": "silver"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture or two of each of five classes, each of a colour of its own."""
    for position, (name, colour) in enumerate(COLOURS.items()):
        (tmp_path / name).mkdir()
        for number in range(1 + position % 2):
            Image.new("RGB", (40 + 10 * number, 30), colour).save(tmp_path / name / f"{number}.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "husky" / "notes.txt").write_text("no picture")
    return tmp_path


def colour_of(words: str) -> np.ndarray:
    return np.array(Image.new("RGB", (1, 1), COLOURS[words.replace(" ", "_")]).getpixel((0, 0)))


def test_the_caption_names_one_to_four_of_the_four(folder: Path) -> None:
    data: Dataset = MosaicDataset.open(folder)
    assert data.size is None
    for index in range(8):
        sample = data.sample(index)
        assert sample.image.shape == (448, 448, 3)
        assert len(sample.objects) == 1 + index % 4
        assert sample.caption == " ".join(thing.phrase for thing in sample.objects)
        for thing in sample.objects:
            assert thing.mask.mean() == 0.25
            assert (sample.image[thing.mask] == colour_of(thing.phrase)).all()


def test_classes_and_places_are_drawn_by_the_seed(folder: Path) -> None:
    one, again, other = (MosaicDataset.open(folder, seed=seed) for seed in (0, 0, 1))
    assert [one.sample(k).caption for k in range(8)] == [again.sample(k).caption for k in range(8)]
    assert [one.sample(k).caption for k in range(8)] != [other.sample(k).caption for k in range(8)]
    firsts = {int(np.argmax(one.sample(4 * k).objects[0].mask.ravel())) for k in range(12)}
    assert len(firsts) == 4


def test_a_quarter_of_the_patches_is_a_words(folder: Path, demo: fx.DualEncoder) -> None:
    sample = MosaicDataset.open(folder).sample(3)
    regions = object_regions(demo, sample)
    assert len(regions) == len(demo.players(sample.caption).tokens)
    assert all(region.sum() == 16 and set(np.unique(region)) == {0, 1} for region in regions.values())


def test_class_names_from_a_file(folder: Path) -> None:
    lines = ["gold_fish goldfish, Carassius auratus", "husky crane", "plane crane", "pizza pizza, pizza pie", ""]
    (folder / "classes.txt").write_text("\n".join(lines))
    with pytest.raises(DatasetError, match=r"classes\.txt has no line that begins with 'tractor'"):
        MosaicDataset.open(folder)
    (folder / "classes.txt").write_text("\n".join([*lines, "tractor tractor"]))
    data = MosaicDataset.open(folder)
    assert sorted(data.classes) == ["crane", "goldfish", "pizza", "tractor"]
    assert len(data.classes["crane"]) == 3
    for content, message in ((b"husky\n", "line 1"), (b"husky \xff", "not text in UTF-8")):
        (folder / "classes.txt").write_bytes(content)
        with pytest.raises(DatasetError, match=message):
            MosaicDataset.open(folder)


def test_other_pictures_are_another_data_set(folder: Path) -> None:
    name = MosaicDataset.open(folder).name
    assert MosaicDataset.open(folder).name == name
    (folder / "husky" / "0.png").rename(folder / "husky" / "3.png")
    assert MosaicDataset.open(folder).name != name


def test_too_few_classes(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="0 classes; mosaics need at least 4"):
        MosaicDataset.open(tmp_path)


def test_a_damaged_picture_is_named(folder: Path) -> None:
    for path in folder.glob("*/*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"\.png: "):
        MosaicDataset.open(folder).sample(0)
