"""The annotation files of MS COCO: ``captions_SPLIT.json`` and ``instances_SPLIT.json`` (arXiv 1405.0312)."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from fixlip_core.datasets.files import read_bytes
from fixlip_core.errors import DatasetError

__all__ = ["Caption", "Captions", "Category", "Instance", "Instances", "Picture", "Runs", "find_split", "read_split"]


class Picture(BaseModel):
    """An entry of ``images``; sizes in pixels."""

    id: int
    file_name: str
    height: int = Field(gt=0)
    width: int = Field(gt=0)


class Caption(BaseModel):
    """An entry of ``annotations`` in the captions' file."""

    image_id: int
    caption: str


class Category(BaseModel):
    """An entry of ``categories``."""

    id: int
    name: str


class Runs(BaseModel):
    """A mask as run lengths, as numbers or as text; ``size`` is (height, width)."""

    size: tuple[int, int]
    counts: list[int] | str


class Instance(BaseModel):
    """An entry of ``annotations`` in the instances' file."""

    image_id: int
    category_id: int
    segmentation: list[list[float]] | Runs


class Captions(BaseModel):
    """``captions_SPLIT.json``."""

    images: list[Picture]
    annotations: list[Caption]


class Instances(BaseModel):
    """``instances_SPLIT.json``."""

    annotations: list[Instance]
    categories: list[Category]


_File = TypeVar("_File", bound=BaseModel)


def find_split(root: Path) -> str:
    """The split whose captions and instances a folder has, such as ``val2017``; of several, the validation one.

    Raises:
        DatasetError: there is none, or it is not clear which.
    """
    folder = root / "annotations"
    captions, instances = (
        {path.stem.removeprefix(prefix) for path in folder.glob(f"{prefix}*.json")}
        for prefix in ("captions_", "instances_")
    )
    splits = sorted(captions & instances)
    chosen = splits if len(splits) < 2 else [split for split in splits if split.startswith("val")]
    if len(chosen) == 1:
        return chosen[0]
    wanted = "captions_SPLIT.json and instances_SPLIT.json of one split"
    has = f"those of {', '.join(splits)}" if splits else "no two that belong together"
    raise DatasetError(f"{folder} must have {wanted}; it has {has}")


def read_split(root: Path, split: str) -> tuple[Captions, Instances]:
    """Both files of a split.

    Raises:
        DatasetError: one is missing, or not what it should be; the message names the file and the key.
    """
    folder = root / "annotations"
    return _read(folder / f"captions_{split}.json", Captions), _read(folder / f"instances_{split}.json", Instances)


def _read(path: Path, kind: type[_File]) -> _File:
    try:
        return kind.model_validate_json(read_bytes(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
        raise DatasetError(f"{path}: {key or 'the file'}: {first['msg']}") from error
