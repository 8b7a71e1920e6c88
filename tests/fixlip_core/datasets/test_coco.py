from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixlip_core.datasets import CocoDataset, Dataset, Sample
from fixlip_core.errors import DatasetError

SIZE = (20, 30)
BOX = [2, 2, 9, 2, 9, 9, 2, 9]


def write(root: Path, captions: list[tuple[int, str]], instances: list[dict[str, Any]], split: str = "val2017") -> None:
    """A folder as it is downloaded, with two pictures."""
    folder = root / "annotations"
    folder.mkdir(exist_ok=True)
    images = [{"id": k, "file_name": f"{k}.png", "height": SIZE[0], "width": SIZE[1], "license": 1} for k in (7, 9)]
    categories = [{"id": k, "name": name} for k, name in enumerate(("dog", "hot dog", "person", "cup", "tie"), 1)]
    said = [{"id": k, "image_id": image, "caption": text} for k, (image, text) in enumerate(captions)]
    shown = [{"id": k, "iscrowd": 0, **instance} for k, instance in enumerate(instances)]
    (folder / f"captions_{split}.json").write_text(json.dumps({"images": images, "annotations": said}))
    (folder / f"instances_{split}.json").write_text(
        json.dumps({"images": images, "annotations": shown, "categories": categories})
    )
    (root / "images").mkdir(exist_ok=True)
    for k in (7, 9):
        Image.new("RGB", (SIZE[1], SIZE[0]), (k, k, k)).save(root / "images" / f"{k}.png")


def instance(image: int, category: int, segmentation: Any = (BOX,)) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "segmentation": segmentation}


def only(root: Path) -> Sample:
    data: Dataset = CocoDataset.open(root)
    assert data.size == 1
    return data.sample(0)


def test_the_caption_that_names_most_of_what_is_outlined(tmp_path: Path) -> None:
    captions = [(7, "An animal."), (7, "Two dogs and a person with a hat. \n"), (7, "a dog"), (9, "a dog")]
    write(tmp_path, captions, [instance(7, 1), instance(7, 1, [[20, 2, 25, 2, 25, 6]]), instance(7, 3), instance(7, 4)])
    sample = only(tmp_path)
    assert (sample.id, sample.caption) == ("coco-7", "Two dogs and a person with a hat.")
    dogs, person = sample.objects
    assert (dogs.phrase, person.phrase) == ("dog", "person")
    assert dogs.mask[2:9, 2:9].all()
    assert dogs.mask[3, 24]
    assert person.mask.sum() == 49
    assert sample.image.shape == (*SIZE, 3)
    assert (sample.image == 7).all()


def test_run_lengths_as_numbers_and_as_text(tmp_path: Path) -> None:
    crowd = {"size": list(SIZE), "counts": [20, 20, 560]}
    # The same lengths; a last character 0 says that the bit below it is no sign.
    text = {"size": list(SIZE), "counts": "d0d0`a0"}
    write(tmp_path, [(7, "a dog in a tie")], [instance(7, 1, crowd), instance(7, 5, text)])
    dog, tie = only(tmp_path).objects
    expected = np.zeros(SIZE, bool)
    expected[:, 1] = True
    np.testing.assert_array_equal(dog.mask, expected)
    np.testing.assert_array_equal(tie.mask, expected)


def test_the_order_is_the_seeds(tmp_path: Path) -> None:
    write(tmp_path, [(7, "a dog"), (9, "a cup")], [instance(7, 1), instance(9, 4)])
    orders = {tuple(CocoDataset.open(tmp_path, seed=seed).sample(k).id for k in (0, 1)) for seed in range(8)}
    assert orders == {("coco-7", "coco-9"), ("coco-9", "coco-7")}


def test_the_validation_split_among_several(tmp_path: Path) -> None:
    write(tmp_path, [(7, "a dog")], [instance(7, 1)], split="train2017")
    write(tmp_path, [(9, "a dog")], [instance(9, 1)], split="val2017")
    data = CocoDataset.open(tmp_path)
    assert data.split == "val2017"
    assert re.fullmatch(r"coco val2017 \([0-9a-f]{8}, seed 0\)", data.name)
    write(tmp_path, [(9, "the dog")], [instance(9, 1)], split="val2017")
    assert CocoDataset.open(tmp_path).name != data.name
    (tmp_path / "images").rename(tmp_path / "val2017")
    assert CocoDataset.open(tmp_path).sample(0).id == "coco-9"


class TestRefuses:
    def test_a_folder_without_a_pair_of_files(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 1)])
        (tmp_path / "annotations" / "captions_val2017.json").rename(tmp_path / "annotations" / "captions_x.json")
        with pytest.raises(DatasetError, match="no two that belong together"):
            CocoDataset.open(tmp_path)

    def test_several_splits_of_which_none_is_for_validation(self, tmp_path: Path) -> None:
        for split in ("a", "b"):
            write(tmp_path, [(7, "a dog")], [instance(7, 1)], split=split)
        with pytest.raises(DatasetError, match="those of a, b"):
            CocoDataset.open(tmp_path)

    def test_a_missing_key(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 1), {"image_id": 7, "category_id": 1}])
        with pytest.raises(DatasetError, match=r"instances_val2017\.json: annotations\[1\]\.segmentation"):
            CocoDataset.open(tmp_path)

    def test_what_is_no_json(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 1)])
        (tmp_path / "annotations" / "captions_val2017.json").write_text("{")
        with pytest.raises(DatasetError, match=r"captions_val2017\.json: the file"):
            CocoDataset.open(tmp_path)

    def test_an_unknown_category(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 77)])
        with pytest.raises(DatasetError, match=r"annotations\[0\]\.category_id: there is no category 77"):
            CocoDataset.open(tmp_path)

    def test_captions_that_name_nothing(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a hot dog"), (9, "a dog")], [instance(7, 1), instance(7, 2)])
        assert [thing.phrase for thing in only(tmp_path).objects] == ["hot dog"]
        write(tmp_path, [(7, "a hot dog"), (9, "a dog")], [instance(7, 1), instance(9, 1)])
        assert only(tmp_path).id == "coco-9"
        write(tmp_path, [(7, "a cat")], [instance(7, 1)])
        with pytest.raises(DatasetError, match="names a category"):
            CocoDataset.open(tmp_path)

    def test_no_pictures(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 1)])
        (tmp_path / "images").rename(tmp_path / "elsewhere")
        with pytest.raises(DatasetError, match="has no pictures"):
            CocoDataset.open(tmp_path)

    def test_a_picture_of_another_size(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 1)])
        Image.new("RGB", (31, 20)).save(tmp_path / "images" / "7.png")
        with pytest.raises(DatasetError, match=r"7\.png has 31 x 20 pixels, not 30 x 20"):
            only(tmp_path)

    def test_a_missing_picture(self, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 1)])
        (tmp_path / "images" / "7.png").unlink()
        with pytest.raises(DatasetError, match=r"7\.png cannot be read"):
            only(tmp_path)

    @pytest.mark.parametrize(
        "outline", [[[1, 2, 3]], {"size": [20, 30], "counts": [5]}, {"size": [5, 5], "counts": [25]}]
    )
    def test_a_damaged_outline(self, outline: Any, tmp_path: Path) -> None:
        write(tmp_path, [(7, "a dog")], [instance(7, 1, outline)])
        with pytest.raises(DatasetError, match="instances of picture 7"):
            only(tmp_path)
