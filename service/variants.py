"""What a request asks for beside its pair, a model, a method and its parameters: checked once for all who ask it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import JsonValue
from pydantic_core import to_json

from fixlip_core.captions import content_tokens
from fixlip_core.defaults import DEFAULT_MODEL
from fixlip_core.encoders.card import ModelCard
from fixlip_core.errors import InputError, TokenizerNotFoundError, UnknownModelError
from fixlip_core.methods import METHODS, MethodSpec, get_method
from service.evaluations import check_evaluation_cost
from service.parameters import abridged, check_cost, check_parameters, check_regions
from service.problems import ProblemError

__all__ = ["Variant", "Variants"]

MAX_KEPT: Final = 64
"""Ways that are kept: one with a label map may take a megabyte, and every item of a batch may have its own."""


@dataclass(frozen=True, eq=False, slots=True)
class Variant:
    """A way to explain pairs that the service can go.

    Attributes:
        digest: the same for all that ask for this way.
        card: the model.
        spec: the method.
        params: its parameters in full.
        recorded: the same as a record has them.
    """

    digest: bytes
    card: ModelCard
    spec: MethodSpec
    params: Mapping[str, JsonValue]
    recorded: Mapping[str, JsonValue]


class Variants:
    """The ways that the service can go, with what was found out about each: a batch asks for the same again and again.

    Args:
        cards: the models that workers have announced, by id.
        max_budget: most passes of one tower that a request may ask for.
    """

    def __init__(self, cards: Mapping[str, ModelCard], *, max_budget: int) -> None:
        self._cards = cards
        self._max_budget = max_budget
        self._variants: dict[bytes, Variant] = {}
        self._tokens: dict[tuple[str, str], int] = {}
        self._costs: dict[tuple[bytes, int, tuple[str, ...]], int] = {}
        self._fitting: set[tuple[bytes, tuple[int, int]]] = set()

    def find(self, model: str | None, method: str, params: Mapping[str, Any]) -> Variant:
        """The way that a request asks for.

        Args:
            model: a model's id; None: the default model.
            method: the method's name.
            params: its parameters, as the caller gave them.

        Raises:
            InputError: there is no such model or method, the one cannot run the other, or a parameter is too large.
            ProblemError: several parameters are wrong, or no worker has announced a model yet.
        """
        digest = hashlib.sha256(to_json([model, method, params])).digest()
        if digest not in self._variants:
            card, spec = _find_model(self._cards, model), get_method(method)
            _check_support(card, spec)
            checked = check_parameters(spec, params, max_budget=self._max_budget)
            if len(self._variants) == MAX_KEPT:
                del self._variants[next(iter(self._variants))]
            self._variants[digest] = Variant(digest, card, spec, checked, abridged(checked))
        return self._variants[digest]

    def cost_passes(self, variant: Variant, caption: str, evaluate: Sequence[str] = ()) -> int:
        """Forward passes that an explanation of a pair with this caption, and its evaluation, are expected to take.

        Raises:
            InvalidCaptionError: the model cannot read the caption.
            InvalidParameterError: it takes more than it may.
            UnknownMetricError: there is no such metric.
        """
        card = variant.card
        if (card.id, caption) not in self._tokens:
            self._tokens[card.id, caption] = _count_tokens(card, caption)
        tokens = self._tokens[card.id, caption]
        key = (variant.digest, tokens, tuple(evaluate))
        if key not in self._costs:
            pair = (variant.spec, variant.params, (card.grid[0] * card.grid[1], tokens))
            self._costs[key] = check_cost(*pair, max_budget=self._max_budget) + check_evaluation_cost(
                evaluate, *pair, max_budget=self._max_budget
            )
        return self._costs[key]

    def check_size(self, variant: Variant, image_size: tuple[int, int]) -> None:
        """Refuse regions and boxes that no model could play with on a picture of this width and height.

        Raises:
            InvalidParameterError: the parameters have such.
        """
        if (variant.digest, image_size) not in self._fitting:
            check_regions(variant.params, image_size=image_size)
            self._fitting.add((variant.digest, image_size))


def _find_model(cards: Mapping[str, ModelCard], model_id: str | None) -> ModelCard:
    if not cards:
        raise ProblemError(503, "no_models", "no worker has announced a model yet; try again later")
    if model_id is None:
        return cards.get(DEFAULT_MODEL) or next(iter(cards.values()))
    if model_id not in cards:
        raise UnknownModelError(f"model {model_id!r} is unknown; known models: {', '.join(cards)}")
    return cards[model_id]


def _check_support(card: ModelCard, spec: MethodSpec) -> None:
    if spec.needs_attention and not card.attention:
        able = ", ".join(other.name for other in METHODS.values() if not other.needs_attention)
        raise InputError(
            f"method {spec.name!r} reads the attention of transformers, which model {card.id!r} is not made of; "
            f"methods for it: {able}",
            field="method",
            code="method_unsupported",
        )


def _count_tokens(card: ModelCard, caption: str) -> int:
    """Tokens of the caption; as many as may be, where the tokenizer's file is on the worker's machine alone."""
    try:
        return len(content_tokens(caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens))
    except TokenizerNotFoundError:
        return card.max_tokens
