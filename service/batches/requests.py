"""What a batch asks for: items, or pairs that are each explained in several ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from pydantic.config import JsonDict

from fixlip_core.methods import METHODS
from service.evaluations import Evaluate
from service.pairs import NamedPair, Pair
from service.requests import WebhookRequest

__all__ = [
    "Asked",
    "BatchItemRequest",
    "BatchMethod",
    "BatchOptions",
    "BatchPairRequest",
    "ItemLine",
    "ManifestItem",
    "ManifestPair",
    "PairLine",
    "Ways",
    "asked_by",
]

Name = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Model = Annotated[str | None, Field(description="A model's id, of `GET /v1/models`; null: the default model.")]
_Method = Annotated[str, Field(description="A method's name, of `GET /v1/methods`.")]
_Params = Annotated[dict[str, JsonValue], Field(description="The method's parameters.")]


def _not_given(schema: JsonDict) -> None:
    """Say nothing of a default that nobody may give."""
    del schema["default"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _PairFields(_Part):
    custom_id: Name = Field(
        default="",
        description="Your name for it, which no other of the batch has; by default its number.",
        json_schema_extra=_not_given,
    )


class _ItemFields(_PairFields):
    pair_id: Name = Field(
        default="",
        description="The same for items whose results are to be compared; by default for those of the same image and "
        "caption.",
        json_schema_extra=_not_given,
    )
    model: _Model = None
    method: _Method = "fixlip"
    params: _Params = Field(default_factory=dict)
    evaluate: Evaluate = Field(default_factory=list)


class BatchPairRequest(Pair, _PairFields):
    """A pair of a batch, which is explained in every way that the batch asks for."""


class BatchItemRequest(Pair, _ItemFields):
    """One explanation of a batch."""


class ManifestPair(NamedPair, _PairFields):
    """A pair of a manifest, which is explained in every way that the batch asks for."""


class ManifestItem(NamedPair, _ItemFields):
    """One explanation of a manifest."""


PairLine: TypeAlias = BatchPairRequest | ManifestPair
ItemLine: TypeAlias = BatchItemRequest | ManifestItem


class BatchMethod(_Part):
    """A method with its parameters."""

    method: _Method = "fixlip"
    params: _Params = Field(default_factory=dict)


class BatchOptions(_Part):
    """What is said of all of a batch; the first three are of pairs alone."""

    models: list[_Model] = Field(
        default_factory=list,
        min_length=1,
        description="Models that explain every pair; by default the default model.",
    )
    methods: list[BatchMethod] = Field(
        default_factory=list, min_length=1, description="Methods that explain every pair; by default `fixlip`."
    )
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        default_factory=list, min_length=1, description="Every method that has a `seed` is run with each of these."
    )
    evaluate: Evaluate = Field(default_factory=list)
    maps: bool = Field(
        default=False, description="Whether maps are drawn of every explanation, which takes longer than a small one."
    )
    metadata: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ] = Field(default_factory=dict, max_length=16, description="Your own notes, kept with the batch.")
    webhook: WebhookRequest | None = Field(default=None, description="Whom to tell of the batch's end; null: nobody.")

    @property
    def is_of_pairs(self) -> bool:
        """Whether it says anything that is of pairs alone."""
        return bool(self.models or self.methods or self.seeds)

    @property
    def most_ways(self) -> int:
        """In how many ways a pair is explained, at most: fewer where a method has no seed."""
        return len(self.models or [None]) * len(self.methods or [None]) * len(self.seeds or [None])


@dataclass(frozen=True, slots=True)
class Asked:
    """One explanation that is asked for.

    Attributes:
        place: where the request asks for it, for errors: ``items[17]``.
        pair: what is explained.
        custom_id: the caller's name for it.
        pair_id: the same for what is to be compared; None: told by image and caption.
        model: the model's id; None: the default model.
        method: the method's name.
        params: its parameters.
        evaluate: metrics.
        way: where the request says so of all pairs, for errors: ``methods[2]``; empty where it says so of this alone.
    """

    place: str
    pair: Pair | NamedPair
    custom_id: str
    pair_id: str | None
    model: str | None
    method: str
    params: Mapping[str, JsonValue]
    evaluate: tuple[str, ...]
    way: str = ""


@dataclass(frozen=True, slots=True)
class _Way:
    label: str
    place: str
    model: str | None
    method: str
    params: Mapping[str, JsonValue]


class Ways:
    """Models x methods x seeds: the ways in which every pair is explained."""

    def __init__(self, options: BatchOptions) -> None:
        self._evaluate = tuple(options.evaluate)
        self._ways = list(_named(_product(options)))

    def __len__(self) -> int:
        return len(self._ways)

    def of(self, place: str, number: int, line: PairLine) -> Iterator[Asked]:
        """The explanations of a pair."""
        custom_id = line.custom_id or f"pair-{number}"
        for way in self._ways:
            yield Asked(
                place=place,
                pair=line,
                custom_id=f"{custom_id}:{way.label}",
                pair_id=custom_id,
                model=way.model,
                method=way.method,
                params=way.params,
                evaluate=self._evaluate,
                way=way.place,
            )


def asked_by(place: str, number: int, line: ItemLine, options: BatchOptions) -> Asked:
    """The explanation that an item asks for."""
    return Asked(
        place=place,
        pair=line,
        custom_id=line.custom_id or f"item-{number}",
        pair_id=line.pair_id or None,
        model=line.model,
        method=line.method,
        params=line.params,
        evaluate=tuple(line.evaluate if "evaluate" in line.model_fields_set else options.evaluate),
    )


def _product(options: BatchOptions) -> Iterator[_Way]:
    for model in options.models or [None]:
        for number, chosen in enumerate(options.methods or [BatchMethod()]):
            place = f"methods[{number}]"
            for params in _with_seeds(chosen, options.seeds):
                label = chosen.method if model is None else f"{model}/{chosen.method}"
                yield _Way(label, place, model, chosen.method, params)


def _with_seeds(chosen: BatchMethod, seeds: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    """The parameters with each seed; once, where the method draws nothing at random."""
    spec = METHODS.get(chosen.method)
    if not seeds or spec is None or "seed" not in spec.parameters.model_fields:
        yield chosen.params
        return
    for seed in seeds:
        yield {**chosen.params, "seed": seed}


def _named(ways: Iterator[_Way]) -> Iterator[_Way]:
    """The same, each with a label of its own."""
    used: dict[str, int] = {}
    for way in ways:
        used[way.label] = number = used.get(way.label, 0) + 1
        yield way if number == 1 else replace(way, label=f"{way.label}#{number}")
