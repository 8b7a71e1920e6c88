"""Parameters of the methods: their ranges, defaults and JSON schemas in one place."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from fixlip_core.defaults import (
    BUDGET_PASSES,
    DEFAULT_P,
    MAX_AUTO_PASSES,
    MAX_BOXES,
    MAX_BUDGET_PASSES,
    MAX_ENUMERATED_PLAYERS,
    MAX_REGION_MAP_SIDE,
    MIN_BUDGET_PASSES,
    TARGET_R2,
)
from fixlip_core.errors import InvalidParameterError

__all__ = ["FixlipParameters", "MethodParameters", "parse_parameters"]


class MethodParameters(BaseModel):
    """Base of every method's parameters: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FixlipParameters(MethodParameters):
    """Parameters of FIxLIP (arXiv 2508.05430)."""

    index: Literal["banzhaf", "shapley"] = Field(
        "banzhaf", description="Weights of the coalitions: weighted Banzhaf (with p), or Shapley (FSII; SV at order 1)."
    )
    p: float = Field(
        DEFAULT_P, gt=0, lt=1, description="Probability with which each player is present; of index 'banzhaf'."
    )
    order: Literal[1, 2] = Field(2, description="Highest order of interaction: 1 (players) or 2 (pairs as well).")
    budget: Annotated[int, Field(ge=MIN_BUDGET_PASSES, le=MAX_BUDGET_PASSES)] | Literal["auto"] = Field(
        BUDGET_PASSES,
        description="Forward passes of the image tower; those of the text tower follow from their cost. 'auto': passes "
        "are added in rounds until target_r2 is reached, the gain stalls, or max_passes are spent.",
    )
    target_r2: float = Field(
        TARGET_R2, gt=0, lt=1, description="Estimated (leave-one-out) R2 at which budget 'auto' is content."
    )
    max_passes: int = Field(
        MAX_AUTO_PASSES,
        ge=MIN_BUDGET_PASSES,
        le=MAX_BUDGET_PASSES,
        description="Most image passes that budget 'auto' may spend.",
    )
    text_passes: int | None = Field(
        None,
        ge=MIN_BUDGET_PASSES,
        le=2**MAX_ENUMERATED_PLAYERS,
        description="Forward passes of the text tower (all coalitions, where there are no more). By default they "
        "follow from what the towers' passes cost; the provenance says how many coalitions it were.",
    )
    estimator: Literal["gp", "least_squares", "wls", "joint"] = Field(
        "gp",
        description="Solver: 'gp', a Gaussian process over each tower's coalitions; 'least_squares' over all pairs of "
        "image and text coalitions; 'wls', the same on coalitions drawn one by one, as published; 'joint', least "
        "squares over coalitions of all players, each a pass of both towers. All but 'gp' need many passes.",
    )
    score: Literal["logit", "cosine"] = Field("logit", description="Value of the game: scale * cos + bias, or cos.")
    image_removal: Literal["zero", "mean", "blur"] = Field(
        "zero",
        description="What stands in for a removed patch: zero after normalisation, the picture's mean colour or blur.",
    )
    text_removal: Literal["mask", "token"] | None = Field(
        None,
        description="What removes a token: its key masked in every layer, or padding in its place. By default 'mask', "
        "where the model can.",
    )
    text_players: Literal["token", "word"] = Field("token", description="The caption's players: tokens or whole words.")
    regions: list[Annotated[list[int], Field(max_length=MAX_REGION_MAP_SIDE)]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_REGION_MAP_SIDE,
        description="Label map over the image, at most 256 rows of 256 integers, stretched over it: its labels are the "
        "image players. A patch belongs to the label that covers most of it.",
    )
    boxes: list[Annotated[list[float], Field(min_length=4, max_length=4)]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_BOXES,
        description="Boxes (left, top, right, bottom) in pixels of the image: these, and the rest, are its players.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the coalitions: same seed, same explanation.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse parameters that contradict each other; each message is about the field that is to change."""
        is_shapley, solver = self.index == "shapley", self.estimator
        rules = (
            (
                is_shapley and solver not in ("gp", "joint"),
                "estimator",
                f"index 'shapley' goes with estimator 'gp' or 'joint', not {solver!r}",
            ),
            (is_shapley and self.p != DEFAULT_P, "p", "p belongs to index 'banzhaf'; leave it out with 'shapley'"),
            (
                self.budget == "auto" and solver != "gp",
                "estimator",
                f"budget 'auto' goes with estimator 'gp', which knows its errors, not {solver!r}",
            ),
            (
                solver == "joint" and self.text_passes is not None,
                "text_passes",
                "estimator 'joint' takes as many text passes as image passes; leave them out",
            ),
            (self.regions is not None and self.boxes is not None, "boxes", "give regions or boxes, not both"),
        )
        for is_broken, field, message in rules:
            if is_broken:
                raise PydanticCustomError("contradiction", "{message}", {"message": message, "field": field})
        return self


_P = TypeVar("_P", bound=MethodParameters)
_BRIEF_CHARACTERS: Final = 60


def parse_parameters(model: type[_P], values: dict[str, Any]) -> _P:
    """``values`` as ``model``.

    Raises:
        InvalidParameterError: a value is out of range or a name is unknown; ``field`` names the first of them.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "contradiction":
            field = str(first["ctx"]["field"])
            raise InvalidParameterError(f"{field}: {first['msg']}", field=field) from error
        # Of a union's members pydantic gives the names too; a caller knows the parameter and places in lists.
        known = (part for part in first["loc"] if isinstance(part, int) or part in model.model_fields)
        name = ".".join(map(str, known)) or ".".join(map(str, first["loc"])) or "parameters"
        if first["type"] == "extra_forbidden":
            message = f"{name} is no parameter of this method; its parameters are {', '.join(model.model_fields)}"
        else:
            message = f"{name}: {first['msg']}, not {_brief(first['input'])}"
        raise InvalidParameterError(message, field=name) from error


def _brief(value: object) -> str:
    """The value as it was given; of a list of a thousand numbers, the beginning."""
    text = repr(value)
    return text if len(text) <= _BRIEF_CHARACTERS else f"{text[:_BRIEF_CHARACTERS]} ..."
