from __future__ import annotations

from typing import Any

import pytest

from fixlip_core.errors import InvalidParameterError
from fixlip_core.methods import METHODS
from service.parameters import abridged, check_cost, check_parameters, check_regions
from service.problems import FieldError, ProblemError

FIXLIP = METHODS["fixlip"]


def refused(**params: Any) -> list[FieldError]:
    """What is said of wrong parameters of FIxLIP."""
    with pytest.raises(ProblemError) as caught:
        check_parameters(FIXLIP, params, max_budget=1024)
    assert (caught.value.status, caught.value.code) == (422, "invalid_parameter")
    return caught.value.errors


@pytest.mark.parametrize("spec", METHODS.values(), ids=METHODS.keys())
def test_defaults_are_filled_in(spec: Any) -> None:
    assert check_parameters(spec, {}, max_budget=65_536) == spec.parameters().model_dump(mode="json")


def test_every_wrong_parameter_is_named_at_once() -> None:
    assert [error.field for error in refused(p=2, budget=1, seed=0)] == ["params.p", "params.budget"]


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (7, "Input should be greater than or equal to 8, or: Input should be 'auto'"),
        ("all", "Input should be a valid integer, or: Input should be 'auto'"),
        (None, "Input should be a valid integer, or: Input should be 'auto'"),
    ],
)
def test_a_parameter_of_several_types_is_wrong_once(budget: Any, message: str) -> None:
    (error,) = refused(budget=budget)
    assert (error.field, error.message) == ("params.budget", message)


def test_places_in_lists_are_told() -> None:
    assert [error.field for error in refused(boxes=[[0, 0, 1, 1], [0, "x", 1, 1]])] == ["params.boxes.1.1"]


def test_an_unknown_parameter_is_told_which_are_known() -> None:
    (error,) = refused(speed=1)
    assert (error.field, error.code) == ("params.speed", "extra_forbidden")
    assert error.message.startswith("fixlip has no such parameter; its parameters are index, p, order, budget")


def test_what_contradicts_is_said_without_ornament() -> None:
    (error,) = refused(regions=[[1]], boxes=[[0, 0, 1, 1]])
    assert (error.field, error.message) == ("params.boxes", "give regions or boxes, not both")


@pytest.mark.parametrize("params", [{"budget": 1025}, {"max_passes": 1025}, {"text_passes": 1025}])
def test_passes_are_limited(params: dict[str, Any]) -> None:
    (name,) = params
    with pytest.raises(InvalidParameterError, match=f"{name} is 1025; this service accepts at most 1024") as caught:
        check_parameters(FIXLIP, params, max_budget=1024)
    assert (caught.value.field, caught.value.code) == (f"params.{name}", "budget_too_large")


def test_a_default_of_more_passes_is_lowered_to_the_limit() -> None:
    assert check_parameters(FIXLIP, {}, max_budget=1024)["max_passes"] == 1024
    assert check_parameters(FIXLIP, {"max_passes": 512}, max_budget=1024)["max_passes"] == 512


def test_a_default_budget_is_lowered_to_the_limit() -> None:
    assert check_parameters(FIXLIP, {}, max_budget=256)["budget"] == 256


@pytest.mark.parametrize(
    ("method", "params"),
    [("m2ib", {"steps": 1_000, "copies": 64}), ("exclip", {"steps": 256, "block": -12})],
)
def test_passes_of_methods_without_a_budget_are_limited(method: str, params: dict[str, Any]) -> None:
    spec = METHODS[method]
    checked = check_parameters(spec, params, max_budget=1024)
    cost = spec.cost(spec.parameters(**params), 64, 10)
    passes = f"{cost.image_passes + (cost.text_passes or 0) + cost.backward_passes:,}"
    with pytest.raises(InvalidParameterError, match=f"{method}.* {passes} passes .* at most 2,048") as caught:
        check_cost(spec, checked, (64, 10), max_budget=1024)
    assert (caught.value.field, caught.value.code) == ("params", "budget_too_large")
    assert f"{check_cost(spec, checked, (64, 10), max_budget=65_536):,}" == passes


@pytest.mark.parametrize("spec", METHODS.values(), ids=METHODS.keys())
def test_defaults_cost_little_enough(spec: Any) -> None:
    assert 0 < check_cost(spec, check_parameters(spec, {}, max_budget=256), (576, 64), max_budget=256) <= 512


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({"regions": [[0, 1], [0]]}, "params.regions", "all of one length"),
        ({"regions": [[4, 4], [4, 4]]}, "params.regions", "all labels are 4"),
        ({"boxes": [[0, 0, 5, 5], [3, 0, 3, 9]]}, "params.boxes.1", "no area"),
        ({"boxes": [[9, 0, 3, 9]]}, "params.boxes.0", "left < right"),
        ({"boxes": [[48, 0, 60, 9]]}, "params.boxes.0", "outside the image of 48 x 32"),
    ],
)
def test_regions_that_no_model_could_play_with_are_refused(params: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message) as caught:
        check_regions(params, image_size=(48, 32))
    assert caught.value.field == field


def test_other_regions_pass() -> None:
    check_regions({"regions": [[0, 1]], "boxes": None}, image_size=(48, 32))
    check_regions({"regions": None, "boxes": [[40, 0, 60, 9]]}, image_size=(48, 32))
    check_regions({}, image_size=(48, 32))


def test_the_digest_of_a_label_map_stands_for_it() -> None:
    maps: tuple[Any, ...] = ([[0, 1]], [[0, 1]], [[1, 0]])
    one, same, other = (abridged({"p": 0.5, "regions": labels}) for labels in maps)
    assert one == same != other
    assert one["p"] == 0.5
    assert str(one["regions"]).startswith("sha256:")
    assert abridged({"regions": None, "p": 0.5}) == {"regions": None, "p": 0.5}
    assert abridged({"seed": 1}) == {"seed": 1}
