"""The protocol that every explanation method follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
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
        name: the word by which callers ask for it.
        title: one line for people.
        order: highest order of interaction that it can give.
        parameters: class of its parameters; its JSON schema is the documentation.
        run: the method itself.
    """

    name: str
    title: str
    order: int
    parameters: type[MethodParameters]
    run: Method
