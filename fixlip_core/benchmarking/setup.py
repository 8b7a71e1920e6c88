"""What all outcomes of a run have in common, so that a later run can go on only with the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from fixlip_core.errors import FormatError, InvalidParameterError

__all__ = ["Setup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a figure depends on besides the sample and the variant.

    Attributes:
        data: the data set's name, its seed in it.
        model: the model's id.
        revision: of its weights.
        precision: of its numbers.
        device: that it ran on, without which seconds say nothing.
        seed: of methods and metrics.
        budget: image passes of methods that have a budget.
        version: of this package.
    """

    data: str
    model: str
    revision: str
    precision: str
    device: str
    seed: int
    budget: int
    version: str

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_bytes(_SETUP.dump_json(self, indent=2) + b"\n")

    def check(self, path: Path) -> None:
        """Compare with what :meth:`save` wrote.

        Raises:
            InvalidParameterError: they differ; the message says in what.
            FormatError: the file is damaged or not there.
        """
        try:
            other = _SETUP.validate_json(path.read_bytes())
        except OSError as error:
            raise FormatError(f"{path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise FormatError(f"{path} does not say what was run") from error
        theirs = asdict(other)
        differences = [
            f"{name} {theirs[name]!r}, not {value!r}" for name, value in asdict(self).items() if theirs[name] != value
        ]
        if differences:
            raise InvalidParameterError(f"{path.parent} has results of {'; '.join(differences)}", field="resume")


_SETUP: Final = TypeAdapter(Setup)
