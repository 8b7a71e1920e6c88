"""What a verification finds: one verdict for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Check", "Difference", "Verdict", "Verification"]


class Verdict(StrEnum):
    """What was found of one thing."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNKNOWN = "cannot be checked"
    SKIPPED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what: ``record``, ``signature``, ``image``, ``result``, ``model``, ``values`` or ``scores``.
        verdict: what was found.
        detail: the same in a sentence.
    """

    name: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is otherwise here than where the record was made.

    Attributes:
        what: e.g. ``libraries.torch`` or ``threads``.
        recorded: there.
        here: here.
    """

    what: str
    recorded: str | None
    here: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """All that was found.

    Attributes:
        checks: one verdict for each thing, in the order in which they were looked at.
        differences: in what computed the values.
    """

    checks: Sequence[Check]
    differences: Sequence[Difference] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all; what nobody asked for does not count."""
        found = {check.verdict for check in self.checks}
        return next((bad for bad in (Verdict.DISAGREES, Verdict.UNKNOWN) if bad in found), Verdict.AGREES)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "verdict": str(self.verdict),
            "checks": [{**asdict(check), "verdict": str(check.verdict)} for check in self.checks],
            "differences": [asdict(difference) for difference in self.differences],
        }
