from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import CSS4_COLORS

from fixlip_core.rendering import style
from fixlip_core.types import FloatArray

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LMS_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(srgb: FloatArray) -> FloatArray:
    return np.asarray(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))


def oklab(srgb: FloatArray, deficiency: str = "none") -> FloatArray:
    seen = np.clip(linear(srgb) @ DEFICIENCIES[deficiency].T, 0, 1)
    return np.asarray(np.cbrt(seen @ RGB_TO_LMS.T) @ LMS_TO_OKLAB.T)


def test_zero_is_neutral_and_light() -> None:
    red, green, blue = style.diverging(np.array(0.0), 1.0)
    assert max(red, green, blue) - min(red, green, blue) < 0.005
    assert min(red, green, blue) > 0.95


def test_positive_is_warm_and_negative_is_cold() -> None:
    warm, cold = style.diverging(np.array([1.0, -1.0]), 1.0)
    assert warm[0] > 2 * warm[2]
    assert cold[2] > 2 * cold[0]


def test_equal_magnitudes_are_equally_light_and_colourful() -> None:
    values = np.linspace(0, 1, 21)
    above, below = oklab(style.diverging(values, 1.0)), oklab(style.diverging(-values, 1.0))
    np.testing.assert_allclose(above[:, 0], below[:, 0], atol=2e-3)
    np.testing.assert_allclose(np.hypot(*above[:, 1:].T), np.hypot(*below[:, 1:].T), atol=2e-3)


def test_equal_steps_look_equal() -> None:
    steps = np.linalg.norm(np.diff(oklab(style.diverging(np.linspace(-1, 1, 41), 1.0)), axis=0), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.05)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("magnitude", [0.5, 1.0])
def test_signs_stay_apart_for_colour_blind_readers(deficiency: str, magnitude: float) -> None:
    above, below = oklab(style.diverging(np.array([magnitude, -magnitude]), 1.0), deficiency)
    assert np.linalg.norm(above - below) > 0.14 * magnitude


def test_scale_is_symmetric_and_clips() -> None:
    np.testing.assert_array_equal(
        style.diverging(np.array([3.0, -3.0]), 2.0), style.diverging(np.array([1.0, -1.0]), 1)
    )


def test_limit_of_zero_is_neutral_everywhere() -> None:
    colours = style.diverging(np.zeros((2, 3)), 0.0)
    assert colours.shape == (2, 3, 3)
    np.testing.assert_array_equal(colours, np.broadcast_to(style.diverging(np.array(0.0), 1.0), (2, 3, 3)))


@pytest.mark.parametrize("value", np.linspace(-1, 1, 9).tolist())
def test_ink_is_legible_on_every_colour_of_the_scale(value: float) -> None:
    fill = style.diverging(np.array(value), 1.0)
    ink = np.array([int(style.ink_on(fill)[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (fill, ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.0


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (1.0, (-1.0, -0.5, 0.0, 0.5, 1.0)),
        (0.39, (-0.2, 0.0, 0.2)),
        (7.3, (-5.0, -2.5, 0.0, 2.5, 5.0)),
        (12.0, (-10.0, -5.0, 0.0, 5.0, 10.0)),
        (0.0, (0.0,)),
        (5e-324, (0.0,)),
    ],
)
def test_ticks_are_round_and_symmetric(limit: float, expected: tuple[float, ...]) -> None:
    assert style.ticks(limit) == pytest.approx(expected)


def test_ticks_lie_within_the_scale() -> None:
    for limit in np.geomspace(1e-300, 1e300, 4001).tolist():
        ticks = style.ticks(limit)
        assert len(ticks) in (3, 5)
        assert limit / 3 < ticks[-1] <= limit * (1 + 1e-8)


@pytest.mark.parametrize(
    ("value", "label"), [(0.25, "+0.25"), (-0.3, "\N{MINUS SIGN}0.3"), (0.0, "0"), (3 * 0.1, "+0.3"), (12.0, "+12")]
)
def test_labels_carry_the_sign(value: float, label: str) -> None:
    assert style.signed(value) == label


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0.001, "+0.001"),
        (0.00025, "+2.5e\N{MINUS SIGN}04"),
        (-5e-6, "\N{MINUS SIGN}5e\N{MINUS SIGN}06"),
        (20_000.0, "+2e+04"),
    ],
)
def test_labels_stay_short(value: float, label: str) -> None:
    assert style.signed(value) == label


@pytest.mark.parametrize(
    ("limit", "power"),
    [(0.0, 0), (5e-324, 0), (0.01, 0), (9_999.0, 0), (0.0099, -3), (4e-6, -6), (10_000.0, 3), (2e7, 6)],
)
def test_ticks_are_given_in_thousands_where_they_would_be_long(limit: float, power: int) -> None:
    assert style.exponent(limit) == power
    ticks = [style.signed(tick / 10.0**power) for tick in style.ticks(limit)]
    assert max(map(len, ticks)) <= 6
    named = {0: "effect", -3: "effect, 10⁻³", -6: "effect, 10⁻⁶", 3: "effect, 10³", 6: "effect, 10⁶"}
    assert style.in_powers("effect", power) == named[power]


def test_units() -> None:
    assert style.unit("logit") == "effect on the logit"
    assert style.unit("cosine") == "effect on the cosine"


def test_ends_of_the_scale_are_those_of_the_signs() -> None:
    assert style.end_of_scale(0.1) == tuple(style.diverging(np.array(7.0), 7.0))
    assert style.end_of_scale(-3) == tuple(style.diverging(np.array(-7.0), 7.0))


PACKAGE = Path(style.__file__).parent
DRAWING = sorted({*PACKAGE.glob("*.py"), *PACKAGE.parent.glob("benchmarking/charts.py")} - {Path(style.__file__)})
LOOKS = {
    *("alpha", "color", "colors", "edgecolor", "edgecolors", "facecolor", "facecolors", "fontsize", "hatch"),
    *("linestyle", "linewidth", "linewidths", "rgb", "size_pt", "title_pt", "width_pt"),
}
PLAIN = {"none", "solid", "-"}


def looks_of(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Names and literal values of everything in a module that says how something looks."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.Call):
            pairs = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Dict):
            named = zip(node.keys, node.values, strict=True)
            pairs = [(ast.unparse(key).strip("'"), value) for key, value in named if key]
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target).endswith(("_PT", "_RGB")):
            yield ast.unparse(node.target), ast.unparse(node)
        for name, value in pairs:
            if name in LOOKS and isinstance(value, ast.Constant):
                yield name, value.value


@pytest.mark.parametrize("path", DRAWING, ids=lambda path: path.stem)
def test_looks_are_set_in_one_place(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = [(name, value) for name, value in looks_of(tree) if value != 0 and value not in PLAIN]
    assert own == []
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    strings = [node.value for node in nodes if isinstance(node.value, str)]
    assert [s for s in strings if re.fullmatch("#[0-9a-fA-F]{3,8}", s) or s in CSS4_COLORS or style.FONT in s] == []
