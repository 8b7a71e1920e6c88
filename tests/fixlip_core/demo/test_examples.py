from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from fixlip_core.demo.examples import DEFAULT_FOLDER, EXAMPLES, write

SHIPPED = Path(__file__).parents[3] / DEFAULT_FOLDER


def test_the_page_has_the_examples_that_are_drawn_now(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name for path in SHIPPED.iterdir()} == {path.name for path in tmp_path.iterdir()}
    assert (SHIPPED / "examples.json").read_bytes() == (tmp_path / "examples.json").read_bytes()
    for drawn in tmp_path.glob("*.png"):  # pixels, as one version of zlib packs them otherwise than another
        with Image.open(drawn) as now, Image.open(SHIPPED / drawn.name) as shipped:
            np.testing.assert_array_equal(np.asarray(now), np.asarray(shipped))


def test_one_caption_is_wrong_of_its_picture() -> None:
    pairs = json.loads((SHIPPED / "examples.json").read_text())
    assert len(pairs) == len(EXAMPLES)
    assert [pair["fits"] for pair in pairs].count(False) == 1
