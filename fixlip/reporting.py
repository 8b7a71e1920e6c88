"""What the terminal shows of a job: a bar while it runs, a table when it is done."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fixlip.client import Job, JobNotSucceededError, Score
from fixlip_core.explanation import Explanation
from fixlip_core.players import Players

__all__ = ["program_name", "show_explanation", "show_progress", "show_scores"]

ROWS = 10


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
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TextColumn("forward passes"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("queued", total=None)
        for job in states:
            completed, total = job.progress.completed, job.progress.total
            bar.update(task, description=job.status, completed=completed, total=total or None)
    if not job.has_succeeded:
        raise JobNotSucceededError(job)
    return job


def show_explanation(console: Console, explanation: Explanation) -> None:
    """Print the strongest pairs of a word and a part of the image, or at order 1 the strongest players.

    How faithful the values are is printed where it is known.
    """
    players = explanation.players
    table = Table(title=_title(explanation), title_justify="left")
    for name in ("word", "region" if explanation.regions else "patch (row, column)"):
        table.add_column(name)
    table.add_column(_measure(explanation), justify="right")
    for members, value, std_error in _strongest(explanation):
        table.add_row(*_names(players, members), _measured(value, std_error))
    console.print(table)
    console.print(
        f"v(full) = {explanation.full_value:.3f}, v(empty) = {explanation.empty_value:.3f}, from "
        f"{explanation.image_passes} image and {explanation.text_passes} text passes"
    )
    if not np.isnan(explanation.estimated_r2):
        console.print(f"faithfulness, estimated (leave-one-out): R\N{SUPERSCRIPT TWO} = {explanation.estimated_r2:.4f}")


def show_scores(console: Console, scores: Sequence[Score]) -> None:
    """Print what metrics found, a line each; why there is no value, or what is to be known of it, is below."""
    table = Table(title="Evaluation", title_justify="left")
    for name in ("metric", "score"):
        table.add_column(name)
    table.add_column("value", justify="right")
    table.add_column("95 % interval")
    for score in scores:
        value = "-" if score.value is None else f"{score.value:.4f}"
        is_known = score.ci_low is not None and score.ci_high is not None
        interval = f"{score.ci_low:.4f} to {score.ci_high:.4f}" if is_known else ""
        table.add_row(score.metric, score.name, value, interval)
    console.print(table)
    for note in dict.fromkeys(score.note for score in scores if score.note):
        named = ", ".join(f"{score.metric} {score.name}" for score in scores if score.note == note)
        console.print(f"{named}: {note}", soft_wrap=True, markup=False)


def _title(explanation: Explanation) -> str:
    noun = "players" if explanation.order == 1 else "interactions" if explanation.additive else "pairs"
    return f"Strongest {noun}"


def _measure(explanation: Explanation) -> str:
    if not explanation.additive:
        return f"attribution ({explanation.index})"
    return f"value \N{PLUS-MINUS SIGN} standard error ({explanation.score})"


def _strongest(explanation: Explanation) -> list[tuple[tuple[int, ...], float, float]]:
    """At order 1, of an attribution: as many of the image as of the caption, which do not compare."""
    if explanation.order > 1:
        pairs = explanation.top_interactions(ROWS, cross_modal=True)
        return [(pair.players, pair.value, pair.std_error) for pair in pairs]
    order = np.argsort(-np.abs(explanation.first), kind="stable")
    if explanation.additive:
        strongest = order[:ROWS]
    else:
        in_image = order < explanation.n_image
        strongest = np.concatenate([order[~in_image][: ROWS // 2], order[in_image][: ROWS // 2]])
    return [((i,), float(explanation.first[i]), float(explanation.first_std_error[i])) for i in strongest.tolist()]


def _names(players: Players, members: tuple[int, ...]) -> tuple[str, str]:
    """The members' words and places."""
    words = [_word(players, player - players.n_image) for player in members if not players.is_image(player)]
    places = [_place(players, player) for player in members if players.is_image(player)]
    return ", ".join(words), ", ".join(places)


def _place(players: Players, player: int) -> str:
    return escape(players.label(player)) if players.regions else str(players.position(player))


def _word(players: Players, index: int) -> str:
    """A token's text, with its number where the caption has it more than once."""
    text = players.tokens[index]
    return escape(text if players.tokens.count(text) == 1 else f"{text} (token {index})")


def _measured(value: float, std_error: float) -> str:
    error = "" if np.isnan(std_error) else f" \N{PLUS-MINUS SIGN} {std_error:.4f}"
    return f"{value:+.4f}{error}"
