"""What the terminal shows of a job: a bar while it runs, a table when it is done."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fixlip.client import DEFAULT_URL, Job, JobNotSucceededError, Score
from fixlip.errors import INTERRUPTED
from fixlip.terminal.portrait import Portrait, show_facts, show_strongest
from fixlip.terminal.scale import MINUS
from fixlip.terminal.text import plain, printable, say
from fixlip_core.explanation import Explanation

__all__ = ["goes_on", "program_name", "show_explanation", "show_progress", "show_scores"]


def program_name() -> str:
    """How this program is called from here: ``fixlip`` where a shell finds it, else its path or its module."""
    if shutil.which("fixlip"):
        return "fixlip"
    return "python -m fixlip" if Path(sys.argv[0]).name == "__main__.py" else sys.argv[0]


def show_progress(console: Console, job: Job, states: Iterable[Job]) -> Job:
    """Draw a bar of forward passes over the states that a job takes on, and give the last.

    Raises:
        JobNotSucceededError: the job ended otherwise.
    """
    columns = (
        TextColumn("{task.description:<9}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("forward passes"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("queued", total=None)
        for job in states:
            completed, total = job.progress.completed, job.progress.total
            bar.update(task, description=printable(job.status), completed=completed, total=total or None)
    if not job.has_succeeded:
        raise JobNotSucceededError(job)
    return job


@contextmanager
def goes_on(console: Console, job: Job, *, url: str) -> Iterator[None]:
    """Within it, Ctrl-C ends this command, says that the job goes on, and how to come back to it.

    Args:
        console: where that is said.
        job: that is waited for.
        url: of its service.

    Raises:
        typer.Exit: it was pressed.
    """
    try:
        yield
    except KeyboardInterrupt:
        program, elsewhere = program_name(), "" if url == DEFAULT_URL else f" --url {url}"
        say(console, f"the job {job.id} goes on without you:")
        for command, why in (("show", "comes back to it"), ("open", "shows it in the browser"), ("cancel", "stops it")):
            say(console, f"  {program} {command} {job.id}{elsewhere}   {why}")
        raise typer.Exit(INTERRUPTED) from None


def show_explanation(console: Console, explanation: Explanation) -> None:
    """Print the strongest pairs of a word and a part of the image, or at order 1 the strongest players.

    How faithful the values are is printed where it is known.
    """
    show_strongest(console, Portrait(explanation=explanation))
    show_facts(console, explanation)


def show_scores(console: Console, scores: Sequence[Score]) -> None:
    """Print what metrics found, a line each; why there is no value, or what is to be known of it, is below."""
    table = Table(
        title="Evaluation", title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False
    )
    for name in ("metric", "score"):
        table.add_column(name)
    table.add_column("value", justify="right")
    table.add_column("95 % interval")
    for score in scores:
        value = "-" if score.value is None else f"{score.value:.4f}".replace("-", MINUS)
        is_known = score.ci_low is not None and score.ci_high is not None
        interval = f"{score.ci_low:.4f} to {score.ci_high:.4f}" if is_known else ""
        table.add_row(plain(score.metric), plain(score.name), value, interval)
    console.print(table)
    for note in dict.fromkeys(score.note for score in scores if score.note):
        named = ", ".join(f"{score.metric} {score.name}" for score in scores if score.note == note)
        say(console, f"{named}: {note}")
