"""Import open_clip, also where torchvision's compiled operators are missing.

open_clip needs torchvision's transforms alone. A CPU build of torch beside the registry's torchvision lacks the
compiled operators, and ``import torchvision`` then fails at its ``register_fake`` decorators ("operator
torchvision::nms does not exist"). Declaring the schemas of those operators is enough for the import; calling them
would still fail, as it should.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from torch import library as torch_library

__all__ = ["open_clip"]

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared: list[torch_library.Library] = []  # a Library undoes its definitions when it is collected


@cache
def open_clip() -> ModuleType:
    """The open_clip module, imported on first use.

    Raises:
        ImportError: open_clip_torch is not installed.
    """
    if not _compiled_operators_load():
        library = torch_library.Library("torchvision", "DEF")
        for schema in _SCHEMAS.values():
            library.define(schema)
        _declared.append(library)
    return importlib.import_module("open_clip")


def _compiled_operators_load() -> bool:
    """Whether torchvision's extension library can be loaded into this build of torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True  # nothing to mend: importing open_clip will say what is missing
    folder = Path(next(iter(spec.submodule_search_locations)))
    for library in sorted(folder.glob("_C*" + importlib.machinery.EXTENSION_SUFFIXES[-1])):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            return False
        return hasattr(torch.ops.torchvision, "nms")
    return False
