"""A method's parameters: checked, limited, and short enough for a record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from fixlip_core.errors import InvalidParameterError
from fixlip_core.grouping import check_boxes, check_labels
from fixlip_core.methods import MethodSpec
from service.problems import FieldError, ProblemError, field_errors

__all__ = ["abridged", "check_cost", "check_parameters", "check_regions"]

_PASSES: Final = ("budget", "max_passes", "text_passes")
# Of `max_budget` passes of the image tower; a budget of FIxLIP is one of the text tower's as well.
_TOWERS: Final = 2


def check_parameters(spec: MethodSpec, params: Mapping[str, Any], *, max_budget: int) -> dict[str, JsonValue]:
    """The parameters with the defaults filled in; a default of more passes than are accepted is lowered.

    Args:
        spec: the method.
        params: as the caller gave them.
        max_budget: most passes of one tower that may be asked for.

    Raises:
        InvalidParameterError: more passes are asked for.
        ProblemError: parameters are wrong; all of them are named.
    """
    try:
        checked = spec.parameters.model_validate(params, strict=True).model_dump(mode="json")
    except ValidationError as error:
        errors = _by_parameter(field_errors(error.errors(include_url=False, include_input=False)), spec)
        detail = "; ".join(f"{entry.field}: {entry.message}" for entry in errors)
        raise ProblemError(422, "invalid_parameter", detail, errors=errors) from error
    for name in _PASSES:
        passes = checked.get(name)
        if not isinstance(passes, int) or passes <= max_budget:
            continue
        if name not in params:
            checked[name] = max_budget
        else:
            raise InvalidParameterError(
                f"{name} is {passes}; this service accepts at most {max_budget} passes",
                field=f"params.{name}",
                code="budget_too_large",
            )
    return checked


def check_cost(spec: MethodSpec, params: Mapping[str, JsonValue], units: tuple[int, int], *, max_budget: int) -> int:
    """How many passes the parameters cost, forwards and backwards together.

    Args:
        spec: the method; one with a budget has had it checked.
        params: as :func:`check_parameters` gave them.
        units: patches and tokens of the pair.
        max_budget: most passes of one tower that may be asked for.

    Returns:
        The passes that are known beforehand: not those of a text tower that follow from their cost.

    Raises:
        InvalidParameterError: they cost more than a budget of ``max_budget`` may.
    """
    cost = spec.cost(spec.parameters.model_validate(params), *units)
    passes, most = cost.image_passes + (cost.text_passes or 0) + cost.backward_passes, _TOWERS * max_budget
    has_budget = spec.parameters.model_fields.keys() & set(_PASSES)
    if passes > most and not has_budget:
        raise InvalidParameterError(
            f"method {spec.name!r} takes {passes:,} passes with these parameters, forwards and backwards; "
            f"this service accepts at most {most:,}",
            field="params",
            code="budget_too_large",
        )
    return passes


def check_regions(params: Mapping[str, Any], *, image_size: tuple[int, int]) -> None:
    """Refuse regions and boxes that no model could play with.

    Args:
        params: as :func:`check_parameters` gave them.
        image_size: (width, height) of the submitted image.

    Raises:
        InvalidParameterError: the label map is ragged or has one label, or a box has no area in the image.
    """
    try:
        if params.get("regions") is not None:
            check_labels(params["regions"])
        if params.get("boxes") is not None:
            check_boxes(params["boxes"], image_size=image_size)
    except InvalidParameterError as error:
        raise InvalidParameterError(str(error), field=f"params.{error.field}") from error


def abridged(params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """``params`` with a label map's digest in its place: a record is read at every poll."""
    regions = params.get("regions")
    if regions is None:
        return dict(params)
    return {**params, "regions": f"sha256:{hashlib.sha256(to_json(regions)).hexdigest()}"}


def _by_parameter(errors: list[FieldError], spec: MethodSpec) -> list[FieldError]:
    """Errors under the names that callers know: one for a parameter that may be of several types and is of none."""
    named: dict[str, FieldError] = {}
    for entry in errors:
        name, _, place = entry.field.partition(".")
        # Places in lists are numbers; other parts are pydantic's names for the types that were tried.
        inner = ".".join(part for part in place.split(".") if part.isdecimal())
        field = ".".join(filter(None, ["params", name if name in spec.parameters.model_fields else "", inner]))
        if entry.code == "extra_forbidden":
            known = ", ".join(spec.parameters.model_fields)
            field, entry = (
                f"params.{name}",
                entry.model_copy(update={"message": f"{spec.name} has no such parameter; its parameters are {known}"}),
            )
        earlier = named.get(field)
        message = f"{earlier.message}, or: {entry.message}" if earlier else entry.message
        named[field] = FieldError(field=field, code=(earlier or entry).code, message=message)
    return list(named.values())
