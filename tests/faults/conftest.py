"""How large the trials are, and the table of their figures.

``FIXLIP_FAULTS=full`` makes each as large as the service's promise is: hundreds of jobs, minutes of blows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.stack import Stack
from tests.faults.trial import Row, Trial

FULL_TIMEOUT_S: Final = 900
ROWS: Final = pytest.StashKey[list[Row]]()

StartTrial = Callable[..., AbstractContextManager[Trial]]


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a trial is.

    Attributes:
        is_full: whether it is as large as the promise.
        jobs: how many jobs are submitted at least; clients go on for as long as the blows do.
        in_flight: how many of them are open at a time.
        slots: jobs that a worker runs at once; the default in full.
        heartbeat_s: of the workers; the default in full.
    """

    is_full: bool
    jobs: int
    in_flight: int
    slots: int
    heartbeat_s: float


SHORT: Final = Scale(is_full=False, jobs=10, in_flight=6, slots=2, heartbeat_s=1.0)
FULL: Final = Scale(is_full=True, jobs=240, in_flight=24, slots=4, heartbeat_s=3.0)


@pytest.fixture(scope="session")
def scale() -> Scale:
    """The scale that the environment asks for."""
    return FULL if os.environ.get("FIXLIP_FAULTS") == "full" else SHORT


@pytest.fixture
def trial(scale: Scale, tmp_path: Path, request: pytest.FixtureRequest) -> StartTrial:
    """Starts a stack under load: ``trial("kill -9 of a worker", workers=3)``.

    What the trial is given beside its name is for the :class:`Stack`, but for ``jobs`` and ``in_flight``.
    """
    rows = request.config.stash.setdefault(ROWS, [])

    @contextmanager
    def start(fault: str, **options: Any) -> Iterator[Trial]:
        load = {name: options.pop(name, getattr(scale, name)) for name in ("jobs", "in_flight")}
        options = {"heartbeat_s": scale.heartbeat_s, "slots": scale.slots, **options}
        with Stack(tmp_path / "stack", **options) as stack, Trial(fault, stack, rows=rows, **load) as trial:
            yield trial

    return start


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trials are slow, and full ones may take their time."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "trial" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            if os.environ.get("FIXLIP_FAULTS") == "full":
                item.add_marker(pytest.mark.timeout(FULL_TIMEOUT_S))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table."""
    rows = terminalreporter.config.stash.get(ROWS, [])
    if not rows:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(_line(("", "jobs", "blows", "begun", "lost", "doubled", "stuck", "untold", "gap, s")))
    for row in rows:
        gap = "-" if row.longest_gap_s is None else f"{row.longest_gap_s:.1f}"
        figures = (row.jobs, row.blows, row.attempts, row.lost, row.doubled, row.stuck, row.unpromised, gap)
        terminalreporter.write_line(_line((row.fault, *figures)))


def _line(words: tuple[object, ...]) -> str:
    return f"{words[0]:<44}" + "".join(f"{word:>9}" for word in words[1:])
