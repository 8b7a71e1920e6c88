"""What processes use, as Linux counts it: CPU time and memory of a process and its descendants."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Usage", "descendants", "usage_of"]

_PROC: Final = Path("/proc")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its descendants use.

    Attributes:
        cpu_s: seconds of CPU since their start, descendants that have ended included.
        own_cpu_s: those of the process itself.
        rss_bytes: resident memory of the process itself.
        pss_bytes: memory of all of them, pages that several share being counted once.
        processes: how many they are.
    """

    cpu_s: float
    own_cpu_s: float
    rss_bytes: int
    pss_bytes: int
    processes: int


def usage_of(pid: int) -> Usage:
    """What the process and its descendants use now; a descendant that ends meanwhile is left out.

    Raises:
        OSError: the process has ended.
    """
    own_cpu_s, ended_cpu_s = _cpu_s(pid)
    cpu_s, pss_bytes, count = own_cpu_s + ended_cpu_s, _pss_bytes(pid), 1
    for child in descendants(pid):
        try:
            cpu_s, pss_bytes, count = cpu_s + sum(_cpu_s(child)), pss_bytes + _pss_bytes(child), count + 1
        except OSError:
            continue
    return Usage(cpu_s, own_cpu_s, _field_bytes(_PROC / str(pid) / "status", "VmRSS"), pss_bytes, count)


def descendants(pid: int) -> list[int]:
    """Ids of the process's children, their children, and so on."""
    found: list[int] = []
    try:
        for task in (_PROC / str(pid) / "task").iterdir():
            for child in map(int, (task / "children").read_text(encoding="ascii").split()):
                found += [child, *descendants(child)]
    except OSError:
        pass  # it has ended, and what it had started is another's now
    return found


def _cpu_s(pid: int) -> tuple[float, float]:
    """Seconds of CPU of the process, and of its children that have ended."""
    # The name in the second field may hold spaces and brackets; the fields after it are numbers.
    fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    user, system, ended_user, ended_system = (int(ticks) / _TICKS_PER_S for ticks in fields[11:15])
    return user + system, ended_user + ended_system


def _pss_bytes(pid: int) -> int:
    return _field_bytes(_PROC / str(pid) / "smaps_rollup", "Pss")


def _field_bytes(file: Path, name: str) -> int:
    for line in file.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{file} has no {name}: the process is ending")
