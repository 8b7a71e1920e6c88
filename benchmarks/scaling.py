"""What saturates first as the service grows: ``python -m benchmarks.scaling``.

A discrete-event simulation of up to 1,000 workers and 10^7 jobs a day around one Redis and one store, from what every
step of a job was measured to cost on the real stack (``benchmarks/service_times.json``; ``--measure`` counts anew).
What it assumes is said in ``docs/scaling.md``, which has the same tables (``--write`` puts them there): what was
measured, what each part could carry, what limits there are besides time, the busiest hour of fleets of many sizes, and
a whole day of 10^6 jobs.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.fleet import PEAK, Fleet, demands, simulate, simulate_day
from benchmarks.service_times import STORED, Cost, ServiceTimes, load, save

JOBS_PER_DAY = 1e6
WORKERS = 1_000
JOBS_PER_WORKER = JOBS_PER_DAY / WORKERS
GPU_SPEED = 20.0
# Workers, jobs a day, speed of a worker.
FLEETS = (
    (1, JOBS_PER_WORKER, 1.0),
    (10, 10 * JOBS_PER_WORKER, 1.0),
    (100, 100 * JOBS_PER_WORKER, 1.0),
    (300, 300 * JOBS_PER_WORKER, 1.0),
    (WORKERS, JOBS_PER_DAY, 1.0),
    (WORKERS // 10, JOBS_PER_DAY, GPU_SPEED),
    (WORKERS, 10 * JOBS_PER_DAY, GPU_SPEED),
)
DAY_WORKERS = (300, 400, 500, 700, WORKERS)
API_FULL = 0.6
"""Utilisation at the peak that API processes are added for."""
REDIS_MEMORY_BYTES = 16e9
REDIS_CONNECTIONS = 10_000
"""Redis's own limit, ``maxclients``."""
DOCUMENT = Path(__file__).parents[1] / "docs" / "scaling.md"
_MARKED = re.compile(r"<!-- (\w+) -->\n.*?<!-- end of \1 -->", re.DOTALL)


class Figures:
    """A table that can be printed and written into a document; the first column is text."""

    def __init__(self, title: str, columns: Sequence[str]) -> None:
        self.title = title
        self._rows: list[Sequence[str]] = [columns]

    @classmethod
    def of(cls, title: str, *columns: str) -> Figures:
        """A table without rows."""
        return cls(title, columns)

    def add(self, *cells: str) -> None:
        """Append a row."""
        self._rows.append(cells)

    def table(self) -> Table:
        """The table for a terminal."""
        table = Table(title=self.title)
        for number, column in enumerate(self._rows[0]):
            table.add_column(column, justify="right" if number else "left")
        for row in self._rows[1:]:
            table.add_row(*row)
        return table

    def marked(self, name: str) -> str:
        """The table in Markdown, between its marks."""
        columns, *rows = (f"| {' | '.join(row)} |" for row in self._rows)
        rule = f"|---|{'---:|' * (len(self._rows[0]) - 1)}"
        return "\n".join(
            [
                f"<!-- {name} -->",
                f"{self.title[0].upper()}{self.title[1:]}:",
                "",
                columns,
                rule,
                *rows,
                f"<!-- end of {name} -->",
            ]
        )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", choices=["all", "steps", "jobs"], help="measure first, on an idle machine")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {DOCUMENT.name}")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.measure:
        _measure(options.measure)
    measured, console = load(STORED), Console(width=130)
    times = measured.when_busy()
    tables = figures_at_once(measured)
    for table in tables.values():
        console.print(table.table())
    tables |= {"fleets": _fleets_table(times, options.seed), "day": _day_table(times, options.seed)}
    for name in ("fleets", "day"):
        console.print(tables[name].table())
    if options.write:
        write(DOCUMENT, tables)


def _measure(what: str) -> None:
    from benchmarks.measuring import measure_kinds, measure_steps

    kinds = load().kinds if what == "steps" else measure_kinds()
    save(replace(load(), kinds=kinds) if what == "jobs" else measure_steps(kinds))


def figures_at_once(measured: ServiceTimes) -> dict[str, Figures]:
    """The tables that need no simulation, by their names in the document."""
    times = measured.when_busy()
    return {
        "steps": _steps_table(measured),
        "kinds": _kinds_table(times),
        "capacity": _capacity_table(times),
        "limits": _limits_table(times),
    }


def _steps_table(times: ServiceTimes) -> Figures:
    title = f"measured, {times.cores} cores; a busy Redis takes {times.busy_share:.0%} of these times"
    table = Figures.of(title, "step", "Redis, ms", "API, ms", "commands", "the most frequent")
    steps = {
        "submit": times.submit,
        "poll": times.poll,
        "download all files": times.download,
        "run": times.run,
        "a second of running": times.running_second,
        "a second of a worker": times.idle_second,
    }
    for name, cost in steps.items():
        table.add(
            name, f"{1e3 * cost.redis_s:.2f}", f"{1e3 * cost.api_s:.1f}", f"{cost.n_commands:.0f}", _frequent(cost)
        )
    return table


def _kinds_table(times: ServiceTimes) -> Figures:
    table = Figures.of(
        "jobs, on towers of the shape of ViT-B/32", "kind", "share", "passes", "run, s", "files", "stored, MB"
    )
    for name, kind in times.kinds.items():
        table.add(
            name,
            f"{kind.share:.0%}",
            f"{kind.forward_passes}",
            f"{kind.run_s:.1f}",
            f"{kind.stored_files}",
            f"{kind.stored_bytes / 1e6:.1f}",
        )
    return table


def _capacity_table(times: ServiceTimes) -> Figures:
    fleet = Fleet(WORKERS, JOBS_PER_DAY, api_processes=_api_processes(times, JOBS_PER_DAY, 1.0))
    none = demands(times, Fleet(WORKERS, 0.0, api_processes=fleet.api_processes))
    title = f"{WORKERS:,} workers, {fleet.api_processes} API processes, {JOBS_PER_DAY:,.0f} jobs a day"
    table = Figures.of(
        title, "part", "without jobs", "mean", "busiest hour", "its busiest hour is full at jobs a day of"
    )
    rows = []
    for part, used in demands(times, fleet).items():
        share = PEAK * (used - none[part])
        rows.append((JOBS_PER_DAY * (1 - none[part]) / share, part, used, none[part] + share))
    for full, part, mean, peak in sorted(rows):
        table.add(part, f"{none[part]:.1%}", f"{mean:.1%}", f"{peak:.1%}", f"{full:,.0f}")
    return table


def _limits_table(times: ServiceTimes) -> Figures:
    stored = sum(kind.share * kind.stored_bytes for kind in times.kinds.values())
    a_day = JOBS_PER_DAY * times.redis_bytes_per_job
    table = Figures.of(
        "limits besides time", "what", "each", f"at {WORKERS:,} workers, {JOBS_PER_DAY:,.0f} jobs a day", "full"
    )
    table.add(
        "connections to Redis",
        f"{times.connections_per_worker:.0f} a worker",
        f"{WORKERS * times.connections_per_worker:,.0f}",
        f"{REDIS_CONNECTIONS / times.connections_per_worker:,.0f} workers ({REDIS_CONNECTIONS:,})",
    )
    table.add(
        "memory of Redis",
        f"{times.redis_bytes_per_job / 1e3:.1f} kB a job",
        f"{a_day / 1e9:.1f} GB a day",
        f"{REDIS_MEMORY_BYTES / a_day:.1f} days ({REDIS_MEMORY_BYTES / 1e9:.0f} GB)",
    )
    table.add("disk of the store", f"{stored / 1e6:.1f} MB a job", f"{JOBS_PER_DAY * stored / 1e12:.1f} TB a day", "")
    return table


def _fleets_table(times: ServiceTimes, seed: int) -> Figures:
    title = f"the busiest hour, simulated: {PEAK:.0f} times the mean load, bursts"
    busy, waits = ("workers", "Redis", "API", "store"), ("wait p50, s", "p99, s", "submit p99, ms", "poll p99, ms")
    table = Figures.of(title, "workers", "speed", "API processes", "jobs a day", *busy, *waits)
    for workers, jobs, speed in FLEETS:
        fleet = Fleet(workers, jobs, speed, _api_processes(times, jobs, speed))
        found = simulate(times, fleet, seed=seed)
        used = (f"{share:.0%}" for share in (found.workers, found.redis, found.api, found.store))
        table.add(
            f"{workers:,}",
            f"{speed:g}",
            f"{fleet.api_processes}",
            f"{jobs:,.0f}",
            *used,
            f"{_percentile(found.wait_s, 50):.1f}",
            f"{_percentile(found.wait_s, 99):.1f}",
            f"{1e3 * _percentile(found.submit_s, 99):.0f}",
            f"{1e3 * _percentile(found.poll_s, 99):.0f}",
        )
    return table


def _day_table(times: ServiceTimes, seed: int) -> Figures:
    title = f"a day of {JOBS_PER_DAY:,.0f} jobs, each job simulated, the workers alone"
    waits = ("wait p50, s", "p99, s", "longest, s", "waited a minute or more", "behind at midnight, s")
    table = Figures.of(title, "workers", "utilisation", *waits)
    for workers in DAY_WORKERS:
        day = simulate_day(times, Fleet(workers, JOBS_PER_DAY), seed=seed)
        quantiles = [_percentile(day.wait_s, q) for q in (50, 99, 100)]
        table.add(
            f"{workers:,}",
            f"{day.utilisation:.0%}",
            *(f"{wait_s:.1f}" for wait_s in quantiles),
            f"{np.mean(day.wait_s >= 60):.1%}",
            f"{day.behind_s:.0f}",
        )
    return table


def _api_processes(times: ServiceTimes, jobs_per_day: float, speed: float) -> int:
    mean = demands(times, Fleet(1, jobs_per_day, speed))["api"]
    return max(math.ceil(PEAK * mean / API_FULL), 1)


def _frequent(cost: Cost) -> str:
    most = sorted(cost.commands.items(), key=lambda item: -item[1])[:6]
    return ", ".join(f"{name} {count:.1f}" for name, count in most)


def _percentile(values: npt.NDArray[np.float64], q: float) -> float:
    return float(np.percentile(values, q)) if len(values) else math.nan


def write(document: Path, tables: Mapping[str, Figures]) -> None:
    """Put the tables between the marks of a Markdown document, ``<!-- NAME -->`` and ``<!-- end of NAME -->``.

    Raises:
        KeyError: the document has a mark that is no table's.
    """
    text = document.read_text(encoding="utf-8")
    document.write_text(_MARKED.sub(lambda found: tables[found[1]].marked(found[1]), text), encoding="utf-8")


if __name__ == "__main__":
    main()
