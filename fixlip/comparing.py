"""``fixlip compare``: the same pair explained by several models or methods, side by side."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fixlip.client import Agreement, Client, Comparison, Job, JobNotSucceededError
from fixlip.errors import CommandError
from fixlip.terminal.text import plain, printable, say

__all__ = ["Way", "follow_jobs", "show_comparison", "ways_of", "write_comparison"]

_MOST: Final = 8
"""Explanations that the service compares at once."""
_MEASURES: Final = ("spearman", "kendall", "cosine", "top_overlap")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to explain a pair; None is the service's own choice."""

    model: str | None
    method: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


def ways_of(models: str | None, methods: str | None) -> list[Way]:
    """The ways to explain that were asked for: every model with every method.

    Args:
        models: separated by commas; None: the service's own choice.
        methods: separated by commas, with parameters as in ``fixlip:p=0.3+order=2``; None: the default method.

    Raises:
        CommandError: they are fewer than two, or more than are compared at once.
        FixlipError: there is no such method, or it has no such parameter.
    """
    from fixlip_core.benchmarking.variants import parse_variants

    named = [name.strip() for name in models.split(",")] if models is not None else [None]
    if methods is None:
        ways = [Way(model) for model in named]
    else:
        variants = parse_variants(methods.split(","))
        ways = [Way(model, variant.method, variant.given) for model, variant in product(named, variants)]
    if not 2 <= len(ways) <= _MOST:
        raise CommandError(
            f"two to {_MOST} explanations can be compared, not {len(ways)}: name several --models or --methods"
        )
    return ways


def follow_jobs(console: Console, client: Client, jobs: Sequence[Job]) -> None:
    """Draw a bar for each job until all have succeeded.

    Raises:
        JobNotSucceededError: one ended otherwise.
    """
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TextColumn("forward passes"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks = [bars.add_task(printable(f"{job.model.id} {job.method}"), total=None) for job in jobs]
        for job, task in zip(jobs, tasks, strict=True):
            state = job
            for state in client.follow(job):
                bars.update(task, completed=state.progress.completed, total=state.progress.total or None)
            if not state.has_succeeded:
                raise JobNotSucceededError(state)


def write_comparison(folder: Path, comparison: Comparison, figures: Mapping[str, bytes]) -> list[Path]:
    """Write ``comparison.json``, ``agreement.csv`` and the figures by their format; gives where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(comparison.model_dump(mode="json"), indent=2, ensure_ascii=False)
    files = {
        "comparison.json": document.encode(),
        "agreement.csv": _csv(comparison.agreements).encode(),
        **{f"comparison.{kind}": data for kind, data in figures.items()},
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Print how far every two explanations agree, and what was done to compare them."""
    numbers = {explanation.id: number for number, explanation in enumerate(comparison.explanations, 1)}
    for explanation in comparison.explanations:
        name = f"{explanation.model.id} {explanation.method}"
        say(console, f"{numbers[explanation.id]}  {name}  ({explanation.id})")
    table = Table(title="Agreement", title_justify="left")
    for name in ("explanations", "values", "n", "Spearman", "Kendall", "cosine", "top tenth shared"):
        table.add_column(name, justify="left" if name in ("explanations", "values") else "right")
    for agreement in comparison.agreements:
        both = " and ".join(str(numbers[id]) for id in agreement.explanations)
        table.add_row(both, plain(agreement.part), str(agreement.n), *map(_shown, _measured(agreement)))
    console.print(table)
    for note in comparison.notes:
        say(console, f"note: {note}")


def _measured(agreement: Agreement) -> Iterable[float | None]:
    return (getattr(agreement, name) for name in _MEASURES)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _csv(agreements: Sequence[Agreement]) -> str:
    """A row for every two explanations and part."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["explanation", "other", "part", "n", *_MEASURES, "top_k", "note"])
    for agreement in agreements:
        row = [agreement.part, agreement.n, *_measured(agreement), agreement.top_k, agreement.note]
        writer.writerow([*agreement.explanations, *row])
    return text.getvalue()
