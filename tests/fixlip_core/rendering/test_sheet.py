from __future__ import annotations

import base64
import io
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from fixlip_core.errors import InvalidParameterError
from fixlip_core.rendering import style
from fixlip_core.rendering.png import png_bytes
from fixlip_core.rendering.sheet import Sheet, magnitude
from fixlip_core.types import ImageArray


def decoded(sheet: Sheet) -> np.ndarray:
    with Image.open(io.BytesIO(png_bytes(sheet.pixels()))) as image:
        return np.array(image)


@pytest.mark.parametrize("height_px", [300, 301, 699.5, 997, 1234, 2003])
def test_a_sheet_has_the_pixels_it_says(height_px: float) -> None:
    assert decoded(Sheet(height_px)).shape == (int(np.ceil(height_px)), style.WIDTH_PX, 3)


def test_a_picture_is_drawn_pixel_for_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (160, 240, 3), dtype=np.uint8)
    sheet = Sheet(400)
    sheet.picture(pixels, left=12, top=30)
    drawn = decoded(sheet)
    np.testing.assert_array_equal(drawn[30:190, 12:252], pixels)
    drawn[30:190, 12:252] = 255
    assert drawn.min() == 255


def saved(sheet: Sheet, dpi: float) -> ImageArray:
    stream = io.BytesIO()
    sheet.figure.savefig(stream, format="png", dpi=dpi)
    with Image.open(stream) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_picture_grows_with_the_resolution_of_a_saved_figure(factor: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (160, 240, 3), dtype=np.uint8)
    sheet = Sheet(400)
    sheet.picture(pixels, left=12, top=30)
    drawn = saved(sheet, style.DPI * factor)[30 * factor : 190 * factor, 12 * factor : 252 * factor]
    np.testing.assert_array_equal(drawn, pixels.repeat(factor, axis=0).repeat(factor, axis=1))


def test_a_picture_lies_in_its_place_in_a_vector_file() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (160, 240, 3), dtype=np.uint8)
    sheet = Sheet(400)
    sheet.picture(pixels, left=12, top=30)
    stream = io.BytesIO()
    sheet.figure.savefig(stream, format="svg")
    (picture,) = (e.attrib for e in ElementTree.fromstring(stream.getvalue()).iter() if e.tag.endswith("}image"))
    # Points, of which there are 72 to the inch; the file's picture stands on its head, and is turned over.
    assert [float(picture[name]) for name in ("x", "y", "width", "height")] == pytest.approx(
        [12 * 0.24, -30 * 0.24, 240 * 0.24, 160 * 0.24], abs=0.001
    )
    assert picture["transform"] == "scale(1 -1) translate(0 -38.4)"
    (data,) = (value for name, value in picture.items() if name.endswith("href"))
    with Image.open(io.BytesIO(base64.b64decode(data.partition("base64,")[2]))) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), pixels[::-1])


def test_pdf_files_have_embedded_letters_and_no_date_and_leave_the_settings_alone() -> None:
    sheet = Sheet(200)
    sheet.text(50, 100, "red circle")
    before = dict(matplotlib.rcParams)
    written = sheet.pdf("<b> \N{DOG FACE} \ud800")
    assert written.startswith(b"%PDF")
    assert b"/FontFile2" in written  # TrueType, which publishers take
    assert b"CreationDate" not in written
    assert written == sheet.pdf("<b> \N{DOG FACE} \ud800")
    assert dict(matplotlib.rcParams) == before
    assert decoded(sheet).shape == (200, style.WIDTH_PX, 3)


def test_markup_is_written_as_it_is() -> None:
    plain, marked = Sheet(200), Sheet(200)
    plain.text(50, 100, "x2")
    marked.text(50, 100, "$x^2$")
    assert (
        np.flatnonzero((decoded(marked) < 128).any(axis=(0, 2))).max()
        > np.flatnonzero((decoded(plain) < 128).any(axis=(0, 2))).max()
    )


def test_the_colour_bar_runs_from_warm_over_neutral_to_cold() -> None:
    sheet = Sheet(600)
    sheet.colour_bar(1.0, "main effect on the logit", left=852, top=100, height=400)
    bar = decoded(sheet)[100:500, 860]
    np.testing.assert_allclose(bar, 255 * style.diverging(np.linspace(1, -1, 400), 1.0), atol=1)
    labels = [text.get_text() for text in sheet.figure.texts]
    assert labels == ["\N{MINUS SIGN}1", "\N{MINUS SIGN}0.5", "0", "+0.5", "+1", "main effect on the logit"]


def test_global_settings_change_nothing() -> None:
    def draw() -> bytes:
        sheet = Sheet(300)
        sheet.colour_bar(1.0, "effect", left=852, top=20, height=260)
        return png_bytes(sheet.pixels())

    plain = draw()
    loud: Any = {
        "axes.facecolor": "red",
        "figure.autolayout": True,
        "figure.facecolor": "red",
        "font.family": ["serif"],
        "font.size": 40,
        "image.origin": "lower",
        "lines.marker": "o",
        "text.color": "red",
    }
    with matplotlib.rc_context(loud):
        assert draw() == plain


def test_magnitude_is_the_greatest_absolute_value() -> None:
    assert magnitude(np.array([1.0, -3.0]), name="pairs") == 3.0
    assert magnitude(np.zeros((0,)), name="pairs") == 0.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(InvalidParameterError, match="pairs of an explanation must be finite") as caught:
        magnitude(np.array([0.0, value]), name="pairs")
    assert caught.value.field == "explanation"
