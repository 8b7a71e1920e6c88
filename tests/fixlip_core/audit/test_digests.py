from __future__ import annotations

import hashlib
import io
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixlip_core.audit.digests import pixels_sha256, sources_sha256, text_sha256, values_sha256
from tests.support.explanations import attribution, example


def test_the_digest_of_a_text_is_that_of_its_bytes() -> None:
    assert text_sha256("é") == hashlib.sha256(b"\xc3\xa9").hexdigest()


def test_the_digest_of_a_picture_is_that_of_its_pixels() -> None:
    picture = Image.new("RGB", (2, 1))
    picture.putpixel((1, 0), (1, 2, 3))
    assert pixels_sha256(picture) == hashlib.sha256(b"2 x 1 RGB\n\x00\x00\x00\x01\x02\x03").hexdigest()


def test_the_file_of_a_picture_does_not_count_but_every_pixel_does() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size=(5, 7, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="BMP")
    assert pixels_sha256(Image.open(buffer)) == pixels_sha256(pixels)
    changed = pixels.copy()
    changed[4, 6, 2] ^= 1
    assert pixels_sha256(changed) != pixels_sha256(pixels)
    assert pixels_sha256(pixels.reshape(7, 5, 3)) != pixels_sha256(pixels)


def test_the_digest_of_values_is_that_of_their_bytes() -> None:
    explanation = example()
    numbers = [
        explanation.baseline,
        *explanation.first,
        *explanation.second.ravel(),
        *explanation.first_std_error,
        *explanation.second_std_error.ravel(),
    ]
    assert values_sha256(explanation) == hashlib.sha256(struct.pack(f"<{len(numbers)}d", *numbers)).hexdigest()


@pytest.mark.parametrize("name", ["baseline", "first", "second", "first_std_error", "second_std_error"])
def test_the_last_bit_of_any_value_counts(name: str) -> None:
    explanation = replace(example(), first_std_error=np.ones(9))
    values = np.array(getattr(explanation, name))
    values[(0, 1)[: values.ndim]] = np.nextafter(values[(0, 1)[: values.ndim]], np.inf)
    if values.ndim == 2:
        values[1, 0] = values[0, 1]
    change: dict[str, Any] = {name: float(values) if values.ndim == 0 else values}
    other = replace(explanation, **change)
    assert values_sha256(other) != values_sha256(explanation)


def test_one_nan_is_like_another() -> None:
    explanation = attribution()
    other = replace(explanation, baseline=-np.nan, first_std_error=-np.full(9, np.nan))
    assert values_sha256(other) == values_sha256(explanation)


def test_the_digest_of_sources_is_what_sha256sum_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_sources"
    (package / "inner").mkdir(parents=True)
    for name in ("__init__.py", "inner/a.py", "b.py"):
        (package / name).write_text(f"# {name}\n")
    (package / "data.bin").write_bytes(b"not a source")
    monkeypatch.syspath_prepend(tmp_path)
    command = "find . -name '*.py' -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    done = subprocess.run(["bash", "-c", command], cwd=package, capture_output=True, text=True, check=True)
    assert sources_sha256("some_sources") == done.stdout.split()[0]


def test_of_no_package_there_are_no_sources() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        sources_sha256("no_such_package")
