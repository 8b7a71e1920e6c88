"""A method's parameters: checked, limited, and short enough for a record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from fixlip_core.errors import InvalidParameterError
from fixlip_core.methods import MethodSpec
from service.problems import FieldError, ProblemError, field_errors

__all__ = ["abridged", "check_parameters"]

_PASSES: Final = ("budget", "max_passes", "text_passes")


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
