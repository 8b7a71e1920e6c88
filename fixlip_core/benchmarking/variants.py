"""What is compared: methods, each with parameters of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fixlip_core.errors import InvalidParameterError
from fixlip_core.methods import MethodParameters, get_method, parse_parameters

__all__ = ["DEFAULT_VARIANTS", "Variant", "parse_variants", "reference_of"]

DEFAULT_VARIANTS: Final = (
    "fixlip",
    "fixlip:index=shapley",
    "fixlip:index=shapley+order=1",
    "exclip",
    "m2ib",
    "nib",
    "grad_eclip",
    "game",
    "legrad",
)
"""Every method; of FIxLIP, as in its paper, also the Shapley interactions and the Shapley values."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A method with parameters.

    Attributes:
        label: as it was asked for: ``fixlip:index=shapley``.
        method: the method's name.
        given: the parameters that were given; the others have their defaults.
    """

    label: str
    method: str
    given: Mapping[str, Any]

    @property
    def order(self) -> int:
        """Highest order of interaction that it gives."""
        return int(getattr(self.parameters(), "order", get_method(self.method).order))

    def parameters(self, **common: Any) -> MethodParameters:
        """All parameters. The score is the cosine where none is given: scores are compared between methods.

        Args:
            common: values for those that were not given, where the method has a parameter of that name.

        Raises:
            InvalidParameterError: one is unknown or out of range.
        """
        kind = get_method(self.method).parameters
        common = {"score": "cosine", **common}
        shared = {name: value for name, value in common.items() if name in kind.model_fields and value is not None}
        return parse_parameters(kind, {**shared, **self.given})


def reference_of(variants: Sequence[Variant]) -> Variant | None:
    """FIxLIP among the variants, which the others are held against: the first that gives pairs."""
    return next((variant for variant in variants if variant.method == "fixlip" and variant.order == 2), None)


def parse_variants(texts: Sequence[str]) -> tuple[Variant, ...]:
    """Variants from ``METHOD`` or ``METHOD:NAME=VALUE+NAME=VALUE``; values are JSON, or else text.

    Raises:
        UnknownMethodError: there is no such method.
        InvalidParameterError: a parameter is malformed, unknown or out of range, or a variant is asked for twice.
    """
    variants = tuple(_parse(text) for text in texts)
    labels = [variant.label for variant in variants]
    double = next((label for label in labels if labels.count(label) > 1), None)
    if double is not None:
        raise InvalidParameterError(f"{double} is asked for twice", field="methods")
    return variants


def _parse(text: str) -> Variant:
    name, _, rest = text.strip().partition(":")
    given: dict[str, Any] = {}
    for part in filter(None, rest.split("+")):
        key, equals, value = part.partition("=")
        if not (key and equals):
            raise InvalidParameterError(f"{text!r}: wanted METHOD:NAME=VALUE+NAME=VALUE", field="methods")
        given[key] = _value(value)
    variant = Variant(text.strip(), get_method(name).name, given)
    variant.parameters()
    return variant


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
