from __future__ import annotations

import dataclasses
import gc

import pytest

from fixlip_core.encoders.card import ModelCard
from fixlip_core.errors import InputError, InvalidCaptionError, InvalidParameterError
from service.problems import ProblemError
from service.variants import MAX_KEPT, Variant, Variants


@pytest.fixture
def variants(card: ModelCard) -> Variants:
    without = dataclasses.replace(card, id="plain", attention=False)
    return Variants({"demo": card, "plain": without}, max_budget=1024)


def test_who_asks_for_the_same_gets_the_same(variants: Variants) -> None:
    first = variants.find("demo", "fixlip", {"budget": 64})
    assert variants.find("demo", "fixlip", {"budget": 64}) is first
    assert variants.find("demo", "fixlip", {"budget": 65}) is not first
    assert (first.params["budget"], first.params["p"], first.recorded) == (64, 0.5, first.params)


def test_however_many_ways_are_asked_for_few_are_kept(variants: Variants) -> None:
    def alive() -> int:
        gc.collect()
        return sum(type(thing) is Variant for thing in gc.get_objects())  # isinstance asks some of them questions

    before = alive()
    for label in range(1, 2 * MAX_KEPT):
        variant = variants.find("demo", "fixlip", {"regions": [[0, label]], "budget": 64})
        variants.cost_passes(variant, "a dog")
        variants.check_size(variant, (20, 20))
    assert alive() - before == MAX_KEPT
    assert variants.find("demo", "fixlip", {"regions": [[0, label]], "budget": 64}) is variant


def test_no_model_is_the_default_one(variants: Variants, card: ModelCard) -> None:
    assert variants.find(None, "fixlip", {}).card is card


def test_a_label_map_is_recorded_by_its_digest(variants: Variants) -> None:
    variant = variants.find("demo", "fixlip", {"regions": [[0, 1]]})
    assert variant.params["regions"] == [[0, 1]]
    assert str(variant.recorded["regions"]).startswith("sha256:")


@pytest.mark.parametrize(
    ("model", "method", "field"), [("none", "fixlip", "model"), ("demo", "none", "method"), ("plain", "nib", "method")]
)
def test_what_cannot_be_done_is_refused_each_time(variants: Variants, model: str, method: str, field: str) -> None:
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            variants.find(model, method, {})
        assert caught.value.field == field


def test_there_may_be_no_models_yet() -> None:
    with pytest.raises(ProblemError) as caught:
        Variants({}, max_budget=1024).find(None, "fixlip", {})
    assert caught.value.code == "no_models"


def test_the_cost_follows_from_the_caption(variants: Variants) -> None:
    variant = variants.find("demo", "nib", {})
    assert variants.cost_passes(variant, "a dog") == variants.cost_passes(variant, "a cat")
    fixlip = variants.find("demo", "fixlip", {"budget": 64})
    assert variants.cost_passes(fixlip, "a dog", ["faithfulness"]) > variants.cost_passes(fixlip, "a dog")
    with pytest.raises(InvalidCaptionError):
        variants.cost_passes(variant, "")


def test_boxes_must_lie_in_the_image(variants: Variants) -> None:
    variant = variants.find("demo", "fixlip", {"boxes": [[0, 0, 10, 10]]})
    variants.check_size(variant, (20, 20))
    boxes = variants.find("demo", "fixlip", {"boxes": [[30, 30, 40, 40]]})
    with pytest.raises(InvalidParameterError, match="box"):
        variants.check_size(boxes, (20, 20))
