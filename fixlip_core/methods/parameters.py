"""Parameters of the methods: their ranges, defaults and JSON schemas in one place."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fixlip_core.defaults import BUDGET_PASSES, DEFAULT_P, MAX_BUDGET_PASSES, MIN_BUDGET_PASSES
from fixlip_core.errors import InvalidParameterError

__all__ = ["FixlipParameters", "MethodParameters", "parse_parameters"]


class MethodParameters(BaseModel):
    """Base of every method's parameters: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FixlipParameters(MethodParameters):
    """Parameters of FIxLIP-p (arXiv 2508.05430)."""

    p: float = Field(DEFAULT_P, gt=0, lt=1, description="Probability with which each player is present.")
    order: Literal[1, 2] = Field(2, description="Highest order of interaction: 1 (players) or 2 (pairs as well).")
    budget: int = Field(
        BUDGET_PASSES,
        ge=MIN_BUDGET_PASSES,
        le=MAX_BUDGET_PASSES,
        description="Forward passes of the image tower; those of the text tower follow from their cost.",
    )
    estimator: Literal["gp", "least_squares"] = Field(
        "gp", description="Solver: a Gaussian process over coalitions, or least squares (needs many more passes)."
    )
    score: Literal["logit", "cosine"] = Field("logit", description="Value of the game: scale * cos + bias, or cos.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the coalitions: same seed, same explanation.")


_P = TypeVar("_P", bound=MethodParameters)


def parse_parameters(model: type[_P], values: dict[str, Any]) -> _P:
    """``values`` as ``model``.

    Raises:
        InvalidParameterError: a value is out of range or a name is unknown; ``field`` names the first of them.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "parameters"
        if first["type"] == "extra_forbidden":
            message = f"{name} is no parameter of this method; its parameters are {', '.join(model.model_fields)}"
        else:
            message = f"{name}: {first['msg']}, not {first['input']!r}"
        raise InvalidParameterError(message, field=name) from error
