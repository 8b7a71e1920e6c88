"""Comparisons of explanations, as the service makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from fixlip.client._answers import model_parser
from fixlip.client._operations import JobOrId, Operation
from fixlip.client.models import Input, ModelRef

__all__ = [
    "Agreement",
    "CommonPlayers",
    "ComparedExplanation",
    "Comparison",
    "FigureKind",
    "Frame",
    "GreatestValues",
    "comparison",
    "comparison_figure",
]

FigureKind: TypeAlias = Literal["png", "svg"]
"""A figure's format."""

_COMPARISONS: Final = "/v1/comparisons"
_LONGER_S: Final = 30.0
"""How long a comparison may wait for others."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Agreement(_Answer):
    """How far two explanations agree in one part: ``image``, ``text`` or ``pairs``.

    A measure that they have no values for is None, and ``note`` says why.
    """

    explanations: tuple[str, str]
    part: str
    n: int
    spearman: float | None = None
    kendall: float | None = None
    cosine: float | None = None
    top_k: int
    top_overlap: float | None = None
    note: str | None = None


class GreatestValues(_Answer):
    """Greatest absolute values, by which differences are scaled."""

    image: float
    text: float
    pairs: float | None = None


class ComparedExplanation(_Answer):
    """An explanation's values on the common players; ``pairs`` only where they were asked for and there are some.

    ``common`` has, for each of its own players, the common players that have most of its value.
    """

    id: str
    model: ModelRef
    method: str
    params: dict[str, Any]
    index: str
    order: int
    image: tuple[float, ...]
    text: tuple[float, ...]
    pairs: tuple[tuple[float, ...], ...] | None = None
    greatest: GreatestValues
    common: tuple[tuple[int, ...], ...] = ()


class Frame(_Answer):
    """Edges in pixels of the submitted picture."""

    left: float
    top: float
    right: float
    bottom: float


class CommonPlayers(_Answer):
    """The players that explanations share, or were brought to."""

    grid: tuple[int, int]
    regions: tuple[int, ...] = ()
    region_labels: tuple[str, ...] = ()
    tokens: tuple[str, ...]
    frame: Frame | None = None


class Comparison(_Answer):
    """Explanations of one image and caption; ``notes`` says what was done to bring their values together."""

    input: Input
    explanations: tuple[ComparedExplanation, ...]
    players: CommonPlayers
    agreements: tuple[Agreement, ...]
    notes: tuple[str, ...] = ()


def comparison(jobs: Sequence[JobOrId], *, with_pairs: bool = False) -> Operation[Comparison]:
    """How far jobs' explanations agree."""
    query = _query(jobs) | ({"include": "pairs"} if with_pairs else {})
    return Operation("GET", _COMPARISONS, model_parser(Comparison), query=query, longer_by_s=_LONGER_S)


def comparison_figure(jobs: Sequence[JobOrId], *, kind: FigureKind = "png") -> Operation[bytes]:
    """The figure of jobs' explanations side by side."""
    path = f"{_COMPARISONS}/figure.{kind}"
    return Operation("GET", path, lambda response: response.content, query=_query(jobs), longer_by_s=_LONGER_S)


def _query(jobs: Sequence[JobOrId]) -> dict[str, str]:
    return {"explanations": ",".join(job if isinstance(job, str) else job.id for job in jobs)}
