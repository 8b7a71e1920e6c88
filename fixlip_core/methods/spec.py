"""The protocol that every explanation method follows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
from fixlip_core.methods.costs import Cost, Depths, MethodCost
from fixlip_core.methods.parameters import MethodParameters
from fixlip_core.types import ImageInput

__all__ = ["Method", "MethodSpec", "Progress"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called between batches with (completed, total) forward passes; what it raises stops the method."""


class Method(Protocol):
    """A function from an encoder and a pair to an explanation."""

    def __call__(
        self, encoder: DualEncoder, image: ImageInput, caption: str, parameters: Any, progress: Progress | None
    ) -> Explanation:
        """Explain ``image`` and ``caption``; ``parameters`` is an instance of the spec's class."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """A method's name, what it gives and what it takes.

    Attributes:
        name: the word by which callers ask for it; its module in this package has the same name.
        title: one line for people.
        paper: arXiv number of the paper.
        order: highest order of interaction that it can give.
        parameters: class of its parameters; its JSON schema is the documentation.
        needs_attention: whether it looks into the towers' attention, so that they must be transformers.
        estimate: what :meth:`cost` asks.
    """

    name: str
    title: str
    paper: str
    order: int
    parameters: type[MethodParameters]
    needs_attention: bool
    estimate: Cost[MethodCost]

    @property
    def run(self) -> Method:
        """The method itself. Its module is imported on first use: most import torch."""
        method: Method = importlib.import_module(f"fixlip_core.methods.{self.name}").run
        return method

    def cost(
        self, parameters: MethodParameters, n_image: int, n_text: int, *, depths: tuple[int, int] = (12, 12)
    ) -> MethodCost:
        """Passes of an explanation, before it is computed.

        Args:
            parameters: an instance of :attr:`parameters`.
            n_image: image players.
            n_text: text players.
            depths: blocks of the image tower and of the text tower.
        """
        return self.estimate(parameters, n_image, n_text, Depths(*depths))
