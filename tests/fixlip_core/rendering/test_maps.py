from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from fixlip_core.errors import InvalidImageError
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import RenderedMap, render_maps, style
from fixlip_core.types import ImageArray
from tests.support.explanations import attribution, example, pair_attribution, with_regions

MakeExplanation = Callable[..., Explanation]


def files(explanation: Explanation, view: ImageArray) -> dict[str, bytes]:
    return {name: drawn.png for name, drawn in render_maps(explanation, view).items()}


def test_names_and_titles(make_explanation: MakeExplanation, view: ImageArray) -> None:
    maps = render_maps(make_explanation(("red", "<b>")), view)
    assert list(maps) == ["first-order", "graph", "token-0", "token-1"]
    assert [drawn.name for drawn in maps.values()] == list(maps)
    assert [drawn.title for drawn in maps.values()] == [
        "Main effects of patches and words",
        "Strongest interactions",
        'Interactions with "red"',
        'Interactions with "<b>"',
    ]
    assert isinstance(maps["graph"], RenderedMap)


def test_files_are_png_of_column_width_and_modest_size(make_explanation: MakeExplanation, view: ImageArray) -> None:
    for png in files(make_explanation(grid=(8, 8)), view).values():
        with Image.open(io.BytesIO(png)) as image:
            image.load()
            assert (image.format, image.mode, image.width) == ("PNG", "RGB", style.WIDTH_PX)
            assert style.IMAGE_PX < image.height < 1300
            by_pillow = io.BytesIO()
            image.save(by_pillow, "PNG")
        assert len(png) < 1.3 * len(by_pillow.getvalue())
        assert len(png) < 600_000


def test_the_same_input_gives_the_same_bytes(make_explanation: MakeExplanation, view: ImageArray) -> None:
    assert files(make_explanation(), view) == files(make_explanation(), view.copy())


def test_other_values_give_other_maps(make_explanation: MakeExplanation, view: ImageArray) -> None:
    one, other = files(make_explanation(seed=1), view), files(make_explanation(seed=2), view)
    assert all(one[name] != other[name] for name in one)


def test_threads_do_not_disturb_each_other(make_explanation: MakeExplanation, view: ImageArray) -> None:
    explanations = [make_explanation(seed=seed) for seed in range(4)]
    alone = [files(explanation, view) for explanation in explanations]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda explanation: files(explanation, view), explanations)) == alone


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param(["x"], id="one"),
        pytest.param(["a" * 400], id="endless"),
        pytest.param(["\N{DOG FACE}", "\N{CJK UNIFIED IDEOGRAPH-72AC}", "\N{BRAIN}\ufe0f"], id="no-glyph"),
        pytest.param(["$\\frac{1}{", "$", "a_b^c", "\\", "%"], id="markup"),
        pytest.param(["", " ", "\n", "\x00", "\ud83d"], id="invisible"),
    ],
)
def test_any_tokens_can_be_drawn(make_explanation: MakeExplanation, view: ImageArray, tokens: list[str]) -> None:
    assert len(files(make_explanation(tokens, (2, 2)), view)) == len(tokens) + 2


@pytest.mark.parametrize("scale", [0.0, 5e-324, 1e-200, 1e200])
def test_any_scale_can_be_drawn(make_explanation: MakeExplanation, view: ImageArray, scale: float) -> None:
    explanation = make_explanation()
    scaled = make_explanation(first=np.sign(explanation.first) * scale, second=np.sign(explanation.second) * scale)
    assert len(files(scaled, view)) == 4


def test_no_tokens(make_explanation: MakeExplanation, view: ImageArray) -> None:
    assert list(files(make_explanation(()), view)) == ["first-order", "graph"]


def test_nothing_is_drawn_over_what_is_no_image(make_explanation: MakeExplanation) -> None:
    with pytest.raises(InvalidImageError):
        render_maps(make_explanation(), np.zeros((8, 8), dtype=np.uint8))


@pytest.mark.parametrize(
    ("explanation", "titles"),
    [
        (example(order=1), ["Main effects of patches and words"]),
        (attribution(), ["Attribution to patches and words"]),
        (
            with_regions(),
            [
                "Main effects of regions and words",
                "Strongest interactions",
                'Interactions with "red"',
                'Interactions with "circle"',
            ],
        ),
        (
            pair_attribution(),
            [
                "Attribution to patches and words",
                "Strongest attributed pairs",
                *(f'Attributed pairs with "{token}"' for token in pair_attribution().tokens),
            ],
        ),
    ],
    ids=["order 1", "attribution", "regions", "pair attribution"],
)
def test_what_an_explanation_has_is_drawn_and_nothing_else(
    explanation: Explanation, titles: list[str], view: ImageArray
) -> None:
    assert [drawn.title for drawn in render_maps(explanation, view).values()] == titles


def test_of_a_long_caption_the_tokens_with_most_to_show_are_drawn(
    make_explanation: MakeExplanation, view: ImageArray
) -> None:
    second = np.zeros((34, 34))
    strong = [k for k in range(30) if k % 5]
    second[0, [4 + k for k in strong]] = -1.0
    drawn = render_maps(make_explanation([f"w{k}" for k in range(30)], (2, 2), second=second), view)
    assert list(drawn)[2:] == [f"token-{k}" for k in strong]
