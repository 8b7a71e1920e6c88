"""The explanation methods, one file each, and the register by which they are named."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fixlip_core.errors import UnknownMethodError
from fixlip_core.methods.fixlip import run as run_fixlip
from fixlip_core.methods.parameters import FixlipParameters, MethodParameters, parse_parameters
from fixlip_core.methods.spec import Method, MethodSpec, Progress

__all__ = [
    "METHODS",
    "FixlipParameters",
    "Method",
    "MethodParameters",
    "MethodSpec",
    "Progress",
    "get_method",
    "parse_parameters",
]

METHODS: Mapping[str, MethodSpec] = MappingProxyType(
    {
        "fixlip": MethodSpec(
            name="fixlip",
            title="FIxLIP: faithful second-order interactions (weighted Banzhaf)",
            order=2,
            parameters=FixlipParameters,
            run=run_fixlip,
        )
    }
)


def get_method(name: str) -> MethodSpec:
    """The method called ``name``.

    Raises:
        UnknownMethodError: there is none; the message lists those there are.
    """
    try:
        return METHODS[name]
    except KeyError:
        raise UnknownMethodError(f"method {name!r} is unknown; known methods: {', '.join(sorted(METHODS))}") from None
