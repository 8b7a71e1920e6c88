from __future__ import annotations

import base64
import io
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from fixlip_core.explanation import Explanation
from fixlip_core.rendering import render_maps, style
from fixlip_core.rendering.backdrop import SHADOW_SCALE, make_backdrop
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.types import ImageArray
from tests.support.explanations import with_regions

MakeExplanation = Callable[..., Explanation]
HOSTILE = [
    "</text><script>alert(1)</script>",
    '"><image href="http://example.com/x"/>',
    "&lt;&amp;&#0;",
    "]]>",
    "<!--",
    "a\x00\x08\x0b\x1b\ufffe\uffff\ud800b",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
]


def parsed(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg.decode("utf-8"))


def elements(svg: bytes, name: str) -> list[ElementTree.Element]:
    return list(parsed(svg).iter(f"{{http://www.w3.org/2000/svg}}{name}"))


def picture(element: ElementTree.Element) -> np.ndarray:
    address = element.attrib["{http://www.w3.org/1999/xlink}href"]
    with Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))) as image:
        return np.asarray(image.convert("RGBA"))


def svgs(explanation: Explanation, view: ImageArray) -> dict[str, bytes]:
    return {name: drawn.svg for name, drawn in render_maps(explanation, view).items()}


def test_every_map_is_there_as_svg_of_the_size_of_its_png(make_explanation: MakeExplanation, view: ImageArray) -> None:
    for drawn in render_maps(make_explanation(), view).values():
        root = parsed(drawn.svg)
        with Image.open(io.BytesIO(drawn.png)) as png:
            assert root.attrib["viewBox"] == f"0 0 {png.width} {png.height}"
        assert float(root.attrib["width"].removesuffix("in")) == style.WIDTH_PX / style.DPI
        assert [title.text for title in elements(drawn.svg, "title")] == [drawn.title]


def test_the_same_input_gives_the_same_bytes(make_explanation: MakeExplanation, view: ImageArray) -> None:
    first, again = svgs(make_explanation(), view), svgs(make_explanation(), view.copy())
    assert first == again
    assert all(first[name] != other for name, other in svgs(make_explanation(seed=1), view).items())


@pytest.mark.parametrize("make", [lambda e: e, lambda e: with_regions()], ids=["patches", "regions"])
def test_colours_under_the_shadow_look_like_the_png(
    make: Callable[[Explanation], Explanation], make_explanation: MakeExplanation, view: ImageArray
) -> None:
    explanation = make(make_explanation(grid=(8, 8)))
    drawn = render_maps(explanation, view)["token-0"]
    backdrop = make_backdrop(view, explanation.grid)
    tiles = elements(drawn.svg, "rect")
    colours = np.array([[int(t.attrib["fill"][k : k + 2], 16) for k in (1, 3, 5)] for t in tiles], dtype=float)
    assert len(colours) == backdrop.grid[0] * backdrop.grid[1]
    shadow = picture(elements(drawn.svg, "image")[0])
    light = 1 - shadow[..., 3:] / 255
    light = light.repeat(SHADOW_SCALE, axis=0).repeat(SHADOW_SCALE, axis=1)
    tall, wide = backdrop.patch_px
    under = colours.reshape(*explanation.grid, 3).repeat(tall, axis=0).repeat(wide, axis=1)
    margin = style.MARGIN_PX
    with Image.open(io.BytesIO(drawn.png)) as png:
        pixels = np.asarray(png, dtype=float)[margin : margin + backdrop.height, margin : margin + backdrop.width]
    difference = np.abs(light[: backdrop.height, : backdrop.width] * under - pixels)
    assert shadow[..., :3].max() == 0
    assert np.median(difference) < 1
    # Lines between regions are vectors, which this composition leaves out.
    assert np.mean(difference) < (3 if explanation.regions else 1.5)


def test_tiles_lie_on_their_patches(make_explanation: MakeExplanation, white: ImageArray) -> None:
    first = np.zeros(18)
    first[6] = 1.0
    svg = svgs(make_explanation(first=first, second=np.zeros((18, 18))), white)["first-order"]
    (warm,) = [t.attrib for t in elements(svg, "rect") if t.attrib["fill"] < "#f0"]
    side = style.IMAGE_PX // 4
    place = [int(warm[name]) for name in ("x", "y", "width", "height")]
    assert place == [style.MARGIN_PX + 2 * side, style.MARGIN_PX + side, side, side]


def test_words_and_numbers_are_text(make_explanation: MakeExplanation, view: ImageArray) -> None:
    texts = [element.text for element in elements(svgs(make_explanation(), view)["graph"], "text")]
    assert {"red", "circle", "interaction"} <= set(texts)


def test_characters_that_our_font_lacks_are_written_for_readers_whose_fonts_have_them(
    make_explanation: MakeExplanation, view: ImageArray
) -> None:
    svg = svgs(make_explanation(("\N{CJK UNIFIED IDEOGRAPH-72AC}", "red")), view)["first-order"]
    found = {element.text: element.attrib.get("lengthAdjust") for element in elements(svg, "text")}
    assert found["\N{CJK UNIFIED IDEOGRAPH-72AC}"] == "spacingAndGlyphs"
    assert found["red"] is None


def test_text_keeps_to_its_box_in_any_font(make_explanation: MakeExplanation, view: ImageArray) -> None:
    for svg in svgs(make_explanation(), view).values():
        assert "DejaVu Sans" in parsed(svg).attrib["font-family"]
        assert all(float(element.attrib["textLength"]) > 0 for element in elements(svg, "text"))


@pytest.mark.parametrize("token", HOSTILE)
def test_tokens_are_never_markup(make_explanation: MakeExplanation, view: ImageArray, token: str) -> None:
    for svg in svgs(make_explanation((token, "x")), view).values():
        tags = {element.tag.partition("}")[2] for element in parsed(svg).iter()}
        assert tags <= {"svg", "title", "rect", "path", "image", "text"}
        assert b"<!" not in svg
        assert b"<?" not in svg


def test_nothing_is_fetched_or_run(make_explanation: MakeExplanation, view: ImageArray) -> None:
    for svg in svgs(make_explanation(HOSTILE, (2, 2)), view).values():
        for element in parsed(svg).iter():
            assert not any(name.lower().startswith("on") or name == "style" for name in element.attrib)
            assert "url(" not in str(element.attrib)
            links = [value for name, value in element.attrib.items() if name.endswith("href")]
            assert all(link.startswith("data:image/png;base64,") for link in links)


def test_titles_keep_what_xml_can_hold() -> None:
    title = elements(Sheet(100).svg("犬 <b> \x00\ud800"), "title")[0]
    assert title.text == "犬 <b> \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"


def test_files_are_of_modest_size(make_explanation: MakeExplanation) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    tokens = [f"word{k}" for k in range(12)]
    assert max(map(len, svgs(make_explanation(tokens, (14, 14)), noise).values())) < 400_000


def test_lines_of_one_look_are_one_element(make_explanation: MakeExplanation, view: ImageArray) -> None:
    svg = svgs(make_explanation(grid=(14, 14)), view)["graph"]
    assert len(elements(svg, "path")) < 200
