"""What the terminal shows of a batch: a bar while it runs, its ways and scores when it is done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fixlip.client import Batch, BatchSummary, Client, Way, WayComparison
from fixlip.terminal.text import plain, say

__all__ = ["fetch_results", "follow_batch", "show_batches", "show_summary"]


def follow_batch(console: Console, client: Client, batch: Batch, out: Path) -> None:
    """Draw a bar of a batch's items until all have ended, then fetch and show what they found."""
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[trouble]}"),
    )
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(batch.status, total=batch.request_counts.total, trouble="")
        for batch in client.batches.follow(batch.id):  # noqa: B020  # the last one is what is told of
            trouble = _trouble(batch)
            bar.update(task, description=batch.status, completed=batch.request_counts.ended, trouble=trouble)
    fetch_results(console, client, batch, out)


def fetch_results(console: Console, client: Client, batch: Batch, out: Path) -> None:
    """Write a batch's results and tables to ``out``, and show its summary."""
    client.batches.download(batch, out)
    show_summary(console, client.batches.summary(batch))
    if batch.error is not None:
        say(console, f"the batch could not go on: {batch.error.detail}", style="red")
    elif batch.is_final and batch.request_counts.failed:
        say(console, f"{batch.request_counts.failed} failed: `fixlip batch retry {batch.id}` tries them again")
    say(console, f"results and tables are in {out}")


def show_batches(console: Console, batches: Iterable[Batch]) -> None:
    """Print batches, a line each."""
    table = Table()
    for name in ("batch", "status", "submitted", "items", "completed", "failed", "canceled"):
        table.add_column(name, overflow="fold")
    table.columns[0].no_wrap = True  # an id is there to be copied
    for batch in batches:
        counts = batch.request_counts
        submitted = batch.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        numbers = (counts.total, counts.completed, counts.failed, counts.canceled)
        table.add_row(batch.id, batch.status, submitted, *map(str, numbers))
    console.print(table if table.row_count else "there are no batches")


def show_summary(console: Console, summary: BatchSummary) -> None:
    """Print a batch's ways to explain with their scores, and who wins against whom."""
    table = Table()
    for name in ("", "model", "method", "parameters", "done", "failed", "passes", "s"):
        table.add_column(name, overflow="fold")
    for way in summary.ways:
        numbers = (f"{way.succeeded}", f"{way.failed}", _short(way.mean_forward_passes), _short(way.mean_run_s))
        table.add_row(
            f"{way.way}", plain(way.model), plain(way.method), plain(_told_apart(way, summary.ways)), *numbers
        )
    console.print(table)
    if summary.scores:
        console.print(_scores(summary))
    if summary.comparisons:
        console.print(_comparisons(summary.comparisons))


def _scores(summary: BatchSummary) -> Table:
    table = Table()
    for name in ("", "metric", "score", "mean", "95 % interval", "pairs"):
        table.add_column(name)
    for one in summary.scores:
        mean, interval = _short(one.mean), _interval(one.ci_low, one.ci_high)
        table.add_row(f"{one.way}", plain(one.metric), plain(one.score), mean, interval, f"{one.n}")
    return table


def _comparisons(comparisons: Iterable[WayComparison]) -> Table:
    table = Table()
    for name in ("", "metric", "score", "wins", "losses", "ties", "difference", "95 % interval"):
        table.add_column(name)
    for one in comparisons:
        numbers = (f"{one.wins}", f"{one.losses}", f"{one.ties}", _short(one.mean_difference))
        table.add_row(
            f"{one.a} - {one.b}", plain(one.metric), plain(one.score), *numbers, _interval(one.ci_low, one.ci_high)
        )
    return table


def _told_apart(way: Way, ways: Iterable[Way]) -> str:
    """The parameters by which a way differs from others of its method."""
    others = [other.params for other in ways if other.method == way.method]
    names = [name for name, value in way.params.items() if any(other.get(name) != value for other in others)]
    return ", ".join(f"{name}={json.dumps(way.params[name])}" for name in names)


def _trouble(batch: Batch) -> str:
    counts = {"failed": batch.request_counts.failed, "canceled": batch.request_counts.canceled}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
