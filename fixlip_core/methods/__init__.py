"""The explanation methods, one file each, and the register by which they are named."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fixlip_core.errors import UnknownMethodError
from fixlip_core.methods import costs
from fixlip_core.methods.attribution_parameters import (
    ExclipParameters,
    GameParameters,
    GradEclipParameters,
    LegradParameters,
    M2ibParameters,
    NibParameters,
)
from fixlip_core.methods.costs import MethodCost
from fixlip_core.methods.parameters import FixlipParameters, MethodParameters, parse_parameters
from fixlip_core.methods.spec import Method, MethodSpec, Progress

__all__ = [
    "METHODS",
    "ExclipParameters",
    "FixlipParameters",
    "GameParameters",
    "GradEclipParameters",
    "LegradParameters",
    "M2ibParameters",
    "Method",
    "MethodCost",
    "MethodParameters",
    "MethodSpec",
    "NibParameters",
    "Progress",
    "get_method",
    "parse_parameters",
]

_SPECS = (
    MethodSpec(
        name="fixlip",
        title="FIxLIP: faithful second-order interactions (weighted Banzhaf or Shapley)",
        paper="2508.05430",
        order=2,
        parameters=FixlipParameters,
        needs_attention=False,
        estimate=costs.cost_of_fixlip,
    ),
    MethodSpec(
        name="exclip",
        title="exCLIP: integrated second-order attributions of pairs of a patch and a token",
        paper="2408.14153",
        order=2,
        parameters=ExclipParameters,
        needs_attention=True,
        estimate=costs.cost_of_exclip,
    ),
    MethodSpec(
        name="m2ib",
        title="M2IB: information that each player must keep, by a fitted bottleneck",
        paper="2312.17174",
        order=1,
        parameters=M2ibParameters,
        needs_attention=True,
        estimate=costs.cost_of_m2ib,
    ),
    MethodSpec(
        name="nib",
        title="NIB: gradients along a bottleneck that is opened without noise",
        paper="2502.14889",
        order=1,
        parameters=NibParameters,
        needs_attention=True,
        estimate=costs.cost_of_nib,
    ),
    MethodSpec(
        name="grad_eclip",
        title="Grad-ECLIP: values weighted by their gradient and a loosened attention",
        paper="2502.18816",
        order=1,
        parameters=GradEclipParameters,
        needs_attention=True,
        estimate=costs.cost_of_grad_eclip,
    ),
    MethodSpec(
        name="game",
        title="GAME: attention rolled out, weighted by its gradient",
        paper="2103.15679",
        order=1,
        parameters=GameParameters,
        needs_attention=True,
        estimate=costs.cost_of_game,
    ),
    MethodSpec(
        name="legrad",
        title="LeGrad: each layer's sensitivity to its attention",
        paper="2404.03214",
        order=1,
        parameters=LegradParameters,
        needs_attention=True,
        estimate=costs.cost_of_legrad,
    ),
)

METHODS: Mapping[str, MethodSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})


def get_method(name: str) -> MethodSpec:
    """The method called ``name``.

    Raises:
        UnknownMethodError: there is none; the message lists those there are.
    """
    try:
        return METHODS[name]
    except KeyError:
        raise UnknownMethodError(f"method {name!r} is unknown; known methods: {', '.join(sorted(METHODS))}") from None
