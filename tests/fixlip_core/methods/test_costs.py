"""Costs are known before, and are what is then reported."""

from __future__ import annotations

from typing import Any

import pytest

from fixlip_core.methods import METHODS
from fixlip_core.methods.costs import AttributionCost, MethodCost, above_bottleneck, from_end, part_above
from tests.fixlip_core.methods.pairs import ATTRIBUTIONS, Subject, explain


def cost(method: str, **parameters: Any) -> MethodCost:
    spec = METHODS[method]
    return spec.cost(spec.parameters(**parameters), 49, 18)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_reported_passes_are_those_of_the_estimate(subject: Subject, method: str) -> None:
    spec, encoder = METHODS[method], subject.encoder
    e = explain(encoder, method)
    depths = len(encoder.image_tower.blocks), len(encoder.text_tower.blocks)
    expected = spec.cost(spec.parameters(), e.n_image, e.n_text, depths=depths)
    assert expected == AttributionCost(e.image_passes, e.text_passes, int(e.provenance["backward_passes"] or 0))


def test_of_towers_of_twelve_blocks() -> None:
    # 2 ends, input and reference; 10 midpoints through one block of twelve, once for the weights, once for the values.
    assert cost("exclip") == AttributionCost(6, 6, 36)
    assert cost("exclip", rule="midpoint") == AttributionCost(5, 5, 33)
    # 10 steps of 10 copies through two blocks of twelve.
    assert cost("m2ib") == AttributionCost(21, 21, 34)
    assert cost("m2ib", block=-4) == AttributionCost(29, 29, 50)
    # 10 widths through three blocks of twelve.
    assert cost("nib") == AttributionCost(7, 7, 5)
    assert cost("grad_eclip") == AttributionCost(4, 4, 1)
    assert cost("game", block=-12) == AttributionCost(4, 4, 2)
    assert cost("legrad") == AttributionCost(4, 4, 1)


def test_of_fixlip() -> None:
    assert cost("fixlip", budget=300) == MethodCost(302, None)
    assert cost("fixlip", budget="auto", max_passes=700) == MethodCost(702, None)
    assert METHODS["fixlip"].cost(METHODS["fixlip"].parameters(), 4, 3) == MethodCost(18, None)


def test_blocks_are_counted_from_the_end() -> None:
    assert [from_end(12, block) for block in (-1, -3, -12, -40)] == [11, 9, 0, 0]
    assert [above_bottleneck(depth, None, of_twelve=10) for depth in (1, 2, 4, 12, 24, 27)] == [0, 0, 2, 10, 20, 22]
    assert above_bottleneck(24, -2, of_twelve=10) == 22
    assert (part_above(4, 3), part_above(0, 0)) == (0.25, 0.0)
