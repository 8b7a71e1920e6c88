"""What a benchmark finds, one explanation at a time, and the file where it is kept as it comes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from fixlip_core.errors import FormatError
from fixlip_core.evaluation import Score

__all__ = ["Figure", "Outcome", "OutcomeLog", "read_outcomes"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A :class:`fixlip_core.evaluation.Score` as it is written: what it has no number for is None.

    Attributes:
        metric: such as ``faithfulness``.
        name: such as ``r2``.
        value: the number.
        ci_low: lower end of its 95 % interval.
        ci_high: upper end.
        higher_is_better: which way is better.
        note: why there is no number, or what to know of it.
    """

    metric: str
    name: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    higher_is_better: bool
    note: str | None

    @classmethod
    def of(cls, score: Score) -> Figure:
        """The figure of a score."""
        ends = (None, None) if score.interval is None else (score.interval.low, score.interval.high)
        low, high = (_number(end) for end in ends)
        return cls(score.metric, score.name, _number(score.value), low, high, score.higher_is_better, score.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An explanation of a sample, and how good it is.

    Attributes:
        sample: the sample's id.
        index: its number in the data set.
        caption: its caption.
        n_objects: how many kinds of objects the caption names.
        variant: the variant's label.
        method: the method's name.
        parameters: all its parameters.
        seconds: that the explanation took.
        image_passes: forward passes of the image tower that the explanation took.
        text_passes: of the text tower.
        evaluation_image_passes: that judging it took.
        evaluation_text_passes: of the text tower.
        figures: every score.
        curves: heights of the insertion and deletion curves: ``first_order_most_first``, ``first_order_least_first``,
            and likewise ``second_order_...``; None where they have no values.
        flipped: whether v(full) <= v(empty), so that areas and curves are to be left out of means.
        error: why there is no explanation; empty where there is one.
    """

    sample: str
    index: int
    caption: str
    n_objects: int
    variant: str
    method: str
    parameters: dict[str, Any]
    seconds: float = 0.0
    image_passes: int = 0
    text_passes: int = 0
    evaluation_image_passes: int = 0
    evaluation_text_passes: int = 0
    figures: tuple[Figure, ...] = ()
    curves: dict[str, tuple[float, ...]] | None = None
    flipped: bool = False
    error: str = ""


_OUTCOME: Final = TypeAdapter(Outcome)


class OutcomeLog:
    """A file with a line of JSON for each outcome; what was written is safe from whatever stops the program.

    Args:
        path: where; what is there is kept, but for a line that was not finished.
    """

    def __init__(self, path: Path) -> None:
        whole = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
        self._file = path.open("r+b" if path.exists() else "wb")
        self._file.seek(len(whole[0]) + len(whole[1]))
        self._file.truncate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, outcome: Outcome) -> None:
        """Write one more."""
        self._file.write(_OUTCOME.dump_json(outcome) + b"\n")
        self._file.flush()


def read_outcomes(path: Path) -> list[Outcome]:
    """The outcomes in a file, but for a last line that was not finished; none where there is no file.

    Raises:
        FormatError: a line is no outcome.
    """
    if not path.exists():
        return []
    outcomes = []
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            break
        try:
            outcomes.append(_OUTCOME.validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise FormatError(f"{path}, line {number}: {where}: {first['msg']}") from error
    return outcomes


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
