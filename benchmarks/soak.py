"""Half an hour of everything at once: ``python -m benchmarks.soak --minutes 30``.

Several clients send the real service jobs of all methods and many sizes, bad requests, cancellations, polls and
downloads, while memory is sampled. Twice a minute they pause until the service is at rest, because what running jobs
hold for a moment is no growth. Growth is the median at rest in the last tenth of the time over that in the tenth after
the first fifth, in which the service warms up: of the process itself (resident), and of it and its children together
(pages that several share counted once). Then what became of the requests, and how large the data directory is: results
are kept, so that it grows.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.clients import Visitor
from benchmarks.deployment import Deployment, deploy
from benchmarks.processes import Usage

SAMPLE_EVERY_S, SAMPLES_PER_ROUND = 3.0, 8
REST_S = 3.0
LONGEST_JOB_S = 120.0
WARM_SHARE, WINDOW_SHARE = 0.2, 0.1
WANTED_GROWTH = 0.02
# What is measured, its bytes, and of how many processes.
KINDS: tuple[tuple[str, Callable[[Usage], int], Callable[[Usage], int]], ...] = (
    ("itself (resident)", lambda usage: usage.rss_bytes, lambda usage: 1),
    ("with children", lambda usage: usage.pss_bytes, lambda usage: usage.processes),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the parts used at a moment: ``time_s`` seconds from the start, under load or at rest."""

    time_s: float
    at_rest: bool
    usage: Mapping[str, Usage]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--samples", type=Path, help="write the samples there, as tab-separated values")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with deploy() as service:
        samples, counts = soak(service, 60 * options.minutes, clients=options.clients, seed=options.seed)
        sizes = [path.stat().st_size for path in service.data.rglob("*") if path.is_file()]
    if options.samples:
        options.samples.write_text(_as_text(samples), encoding="utf-8")
    console = Console(width=110)
    console.print(_growth_table(samples))
    console.print(_counts_table(counts))
    console.print(f"the data directory has {sum(sizes) / 1e6:.0f} MB in {len(sizes):,} files")


def soak(service: Deployment, duration_s: float, *, clients: int, seed: int) -> tuple[list[Sample], Counter[str]]:
    """Send the service a mixed load; what its parts used meanwhile, and what became of the requests."""
    base_url, may_go, enough = str(service.http.base_url), threading.Event(), threading.Event()
    with ThreadPoolExecutor(clients) as pool:
        visitors = [Visitor(base_url, np.random.default_rng([seed, number])) for number in range(clients)]
        futures = [pool.submit(visitor.visit, may_go, enough) for visitor in visitors]
        started = time.monotonic()
        samples: list[Sample] = []

        def sample(*, at_rest: bool) -> None:
            samples.append(Sample(time.monotonic() - started, at_rest, service.usage()))

        try:
            while time.monotonic() - started < duration_s and not any(future.done() for future in futures):
                may_go.set()
                for _ in range(SAMPLES_PER_ROUND):
                    time.sleep(SAMPLE_EVERY_S)
                    sample(at_rest=False)
                may_go.clear()
                for visitor in visitors:
                    visitor.is_resting.wait(LONGEST_JOB_S)
                time.sleep(REST_S)
                sample(at_rest=True)
        finally:
            enough.set()
            may_go.set()
        return samples, sum((future.result() for future in futures), Counter[str]())


def growth(values: Sequence[float]) -> tuple[float, float]:
    """Medians of the tenth of the values after the warm-up, and of the last tenth."""
    begin, width = int(WARM_SHARE * len(values)), max(round(WINDOW_SHARE * len(values)), 1)
    return float(np.median(values[begin : begin + width])), float(np.median(values[-width:]))


def _growth_table(samples: Sequence[Sample]) -> Table:
    rests = [sample for sample in samples if sample.at_rest]
    minutes = samples[-1].time_s / 60
    table = Table(title=f"memory at rest in {minutes:.0f} minutes, {len(rests)} samples; wanted: < {WANTED_GROWTH:.0%}")
    for name in ("", "of", "processes", "warm, MB", "at the end, MB", "growth", "peak under load, MB"):
        table.add_column(name, justify="left" if name in ("", "of") else "right")
    for part, last in samples[-1].usage.items():
        for kind, bytes_of, count in KINDS:
            warm, end = growth([bytes_of(sample.usage[part]) for sample in rests])
            peak = max(bytes_of(sample.usage[part]) for sample in samples)
            sizes = (f"{size / 1e6:.1f}" for size in (warm, end))
            table.add_row(part, kind, f"{count(last)}", *sizes, f"{end / warm - 1:+.1%}", f"{peak / 1e6:.1f}")
    return table


def _counts_table(counts: Counter[str]) -> Table:
    table = Table(title="what became of it")
    table.add_column("")
    table.add_column("times", justify="right")
    for name, count in sorted(counts.items()):
        table.add_row(name, f"{count:,}")
    return table


def _as_text(samples: Sequence[Sample]) -> str:
    parts = list(samples[0].usage)
    lines = ["\t".join(["s", "at rest", *(f"{part} {kind}" for part in parts for kind, _, _ in KINDS)])]
    for sample in samples:
        sizes = [str(bytes_of(sample.usage[part])) for part in parts for _, bytes_of, _ in KINDS]
        lines.append("\t".join([f"{sample.time_s:.1f}", str(int(sample.at_rest)), *sizes]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
