from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.batches.requests import BatchItemRequest, BatchOptions, BatchPairRequest, ManifestPair, Ways, asked_by

PAIR = ManifestPair(image="a.png", caption="a dog", custom_id="dog")


def options(**given: object) -> BatchOptions:
    return BatchOptions.model_validate(given)


def test_pairs_are_explained_by_every_model_with_every_method() -> None:
    ways = Ways(options(models=["one", "two"], methods=[{"method": "fixlip"}, {"method": "grad_eclip"}]))
    asked = list(ways.of("pairs[0]", 0, PAIR))

    assert len(ways) == len(asked) == 4
    assert [one.custom_id for one in asked] == [
        "dog:one/fixlip",
        "dog:one/grad_eclip",
        "dog:two/fixlip",
        "dog:two/grad_eclip",
    ]
    assert {one.pair_id for one in asked} == {"dog"}


def test_the_same_method_twice_has_two_names() -> None:
    methods = [{"params": {"budget": 64}}, {"params": {"budget": 128}}]
    asked = list(Ways(options(methods=methods)).of("pairs[3]", 3, PAIR.model_copy(update={"custom_id": ""})))

    assert [one.custom_id for one in asked] == ["pair-3:fixlip", "pair-3:fixlip#2"]
    assert [one.params for one in asked] == [{"budget": 64}, {"budget": 128}]
    assert [one.way for one in asked] == ["methods[0]", "methods[1]"]


def test_a_method_without_a_seed_is_run_once() -> None:
    ways = Ways(options(methods=[{"method": "fixlip"}, {"method": "nib"}], seeds=[0, 1, 2]))
    asked = list(ways.of("pairs[0]", 0, PAIR))

    assert [dict(one.params) for one in asked] == [{"seed": 0}, {"seed": 1}, {"seed": 2}, {}]


def test_an_item_says_itself_how_it_is_explained() -> None:
    line = BatchItemRequest(image_id="img", caption="a dog", params={"p": 0.3})
    asked = asked_by("items[5]", 5, line, options(evaluate=["aid"]))

    assert (asked.custom_id, asked.pair_id, asked.params, asked.evaluate) == ("item-5", None, {"p": 0.3}, ("aid",))
    own = BatchItemRequest(image_id="img", caption="a dog", evaluate=[])
    assert asked_by("items[5]", 5, own, options(evaluate=["aid"])).evaluate == ()


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 129])
def test_a_name_is_a_short_line(name: str) -> None:
    with pytest.raises(ValidationError):
        BatchPairRequest(custom_id=name, image_id="img", caption="a dog")


@pytest.mark.parametrize(
    "given", [{"models": []}, {"methods": []}, {"seeds": [-1]}, {"evaluate": ["beauty"]}, {"x": 1}]
)
def test_what_is_said_of_all_is_checked(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        options(**given)
