from __future__ import annotations

from pathlib import Path

import pytest

from fixlip_core.datasets import SceneDataset, open_dataset
from fixlip_core.errors import DatasetError, InvalidParameterError


def test_scenes_by_name() -> None:
    assert open_dataset("demo", seed=4) == SceneDataset(4)


@pytest.mark.parametrize("name", ["imagenet", "coco", "mosaics:", "demo:x", ""])
def test_unknown_kinds_are_refused(name: str) -> None:
    with pytest.raises(InvalidParameterError, match="demo, coco:DIR or mosaics:DIR") as caught:
        open_dataset(name)
    assert caught.value.field == "data"


@pytest.mark.parametrize("kind", ["coco", "mosaics"])
def test_a_folder_that_is_not_there_is_named(kind: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        open_dataset(f"{kind}:{tmp_path / 'nowhere'}")
