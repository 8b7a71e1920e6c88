"""Digests of what goes into an explanation and of what comes out of it: SHA-256, in hex."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from fixlip_core.explanation import Explanation
from fixlip_core.images import to_rgb
from fixlip_core.types import ImageInput

__all__ = ["pixels_sha256", "sources_sha256", "text_sha256", "values_sha256"]


def text_sha256(text: str) -> str:
    """Digest of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def pixels_sha256(image: ImageInput) -> str:
    """Digest of a picture, whatever file it came in.

    Over ``WIDTH x HEIGHT RGB`` and a line feed in ASCII, then the pixels of :func:`fixlip_core.images.to_rgb`: row by
    row from the top, three bytes each.
    """
    picture = to_rgb(image)
    digest = hashlib.sha256(f"{picture.width} x {picture.height} RGB\n".encode())
    digest.update(np.asarray(picture).tobytes())
    return digest.hexdigest()


def values_sha256(explanation: Explanation) -> str:
    """Digest of an explanation's values to the last bit.

    Over little-endian float64, one after another: baseline, first (n), second (n, n) row by row, and the standard
    errors of the first and the second. Every nan is the same nan.
    """
    digest = hashlib.sha256()
    for values in (
        explanation.baseline,
        explanation.first,
        explanation.second,
        explanation.first_std_error,
        explanation.second_std_error,
    ):
        array = np.array(values, dtype="<f8", order="C")
        array[np.isnan(array)] = np.nan
        digest.update(array.tobytes())
    return digest.hexdigest()


@cache
def sources_sha256(package: str) -> str:
    """Digest of an installed package's Python sources.

    Over a line ``SHA256  PATH`` for each ``.py`` file below the package, sorted by its path: what ``sha256sum`` prints.

    Args:
        package: its import name.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"there is no package {package!r}", name=package)
    root = Path(spec.submodule_search_locations[0])
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    lines = (f"{hashlib.sha256(files[name].read_bytes()).hexdigest()}  {name}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
