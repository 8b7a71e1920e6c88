"""Every method on a data set, in this process: tables on the terminal, a report and figures in a folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fixlip.errors import CommandError
from fixlip.terminal.text import cut, plain, say
from fixlip_core.benchmarking import (
    DEFAULT_VARIANTS,
    Outcome,
    OutcomeLog,
    ResultTable,
    Setup,
    Variant,
    build_tables,
    image_passes_per_sample,
    parse_variants,
    read_outcomes,
    run_benchmark,
    separation,
    write_report,
)
from fixlip_core.datasets import Dataset, open_dataset
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.methods import get_method

__all__ = ["BenchmarkOptions", "benchmark"]

OUTCOMES: Final = "outcomes.jsonl"
SETUP: Final = "setup.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """What the command line asks for; see ``fixlip benchmark --help``."""

    data: str
    scenes: int
    methods: str | None
    model: str
    device: str
    precision: str
    out: Path
    seed: int
    budget: int
    resume: bool


def benchmark(console: Console, options: BenchmarkOptions) -> bool:
    """Run the benchmark, or what is left of it, and write and show what was found.

    Ctrl-C ends it early: what has been found by then is kept, shown, and what a run with ``resume`` begins with.

    Returns:
        Whether it came to its end.

    Raises:
        CommandError: there are results in the folder already, or torch is not installed.
        FixlipError: the data, the methods or the model cannot be used, or other results are in the folder.
    """
    variants = parse_variants(options.methods.split(",") if options.methods else DEFAULT_VARIANTS)
    log = options.out / OUTCOMES
    if log.exists() and not options.resume:
        raise CommandError(f"{options.out} has results already: go on with --resume, or take another folder by --out")
    with console.status("opening the data"):
        dataset = open_dataset(options.data, seed=options.seed)
    with console.status("loading the model"):
        encoder = _load(options)
    variants = _runnable(console, encoder, variants)
    setup = _setup(encoder, dataset, options)
    options.out.mkdir(parents=True, exist_ok=True)
    if log.exists():
        setup.check(options.out / SETUP)
    else:
        setup.save(options.out / SETUP)
    found = {(outcome.index, outcome.variant): outcome for outcome in read_outcomes(log)}
    is_whole = _run(console, encoder, dataset, variants, options, found)
    wanted = {variant.label for variant in variants}
    outcomes = [o for o in found.values() if o.variant in wanted and o.index < options.scenes]
    with console.status("writing the report"):
        write_report(options.out, setup, outcomes, variants)
    _show(console, outcomes, variants)
    console.print(f"\nreport, tables and figures are in {options.out}", soft_wrap=True)
    if not is_whole:
        console.print("stopped early; the same command with --resume goes on from here", soft_wrap=True)
    return is_whole


def _run(
    console: Console,
    encoder: DualEncoder,
    dataset: Dataset,
    variants: Sequence[Variant],
    options: BenchmarkOptions,
    found: dict[tuple[int, str], Outcome],
) -> bool:
    """Add what is missing to ``found`` and to the file; False if it was interrupted."""
    # What failed is tried again: a picture may be there by now.
    done = {key for key, outcome in found.items() if not outcome.error}
    scenes = options.scenes if dataset.size is None else min(options.scenes, dataset.size)
    labels = {variant.label for variant in variants}
    total, kept = scenes * len(labels), sum(index < scenes and label in labels for index, label in done)
    work = f"{scenes} samples x {len(variants)} methods = {total:,} explanations"
    say(console, f"{dataset.name}: {work}, {kept:,} of them there already")
    outcomes = run_benchmark(
        encoder, dataset, variants, scenes=scenes, seed=options.seed, budget=options.budget, done=done
    )
    columns = (
        TextColumn("{task.description:<30}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    pace = _Pace(console, encoder, variants, options.budget, missing=total - kept)
    try:
        with (
            OutcomeLog(options.out / OUTCOMES) as log,
            Progress(*columns, TimeRemainingColumn(), console=console) as bar,
        ):
            task = bar.add_task("explaining", total=total, completed=kept)
            for outcome in outcomes:
                log.append(outcome)
                found[outcome.index, outcome.variant] = outcome
                bar.update(task, advance=1, description=cut(f"{outcome.sample} {outcome.variant}", 30))
                pace.count(outcome)
    except KeyboardInterrupt:
        return False
    return True


class _Pace:
    """Says how long it will take, once one sample is done.

    Args:
        console: where to say it.
        encoder: the model.
        variants: what each sample is explained by.
        budget: image passes.
        missing: explanations that are to come.
    """

    def __init__(
        self, console: Console, encoder: DualEncoder, variants: Sequence[Variant], budget: int, *, missing: int
    ) -> None:
        self._console, self._encoder, self._variants, self._budget = console, encoder, variants, budget
        self._missing = missing
        self._started = time.monotonic()
        self._counted = 0

    def count(self, outcome: Outcome) -> None:
        """One more."""
        self._counted += 1
        if self._counted != len(self._variants) or outcome.error:
            return
        passed = time.monotonic() - self._started
        players = self._encoder.players(outcome.caption)
        passes = image_passes_per_sample(self._variants, players, budget=self._budget)
        whole = timedelta(seconds=round(passed / self._counted * self._missing))
        self._console.print(
            f"the first sample took {passed:.1f} s and at most {passes:,} image passes; at that pace all take {whole}",
            soft_wrap=True,
        )


def _load(options: BenchmarkOptions) -> DualEncoder:
    from fixlip_core import load_encoder

    try:
        return load_encoder(options.model, device=options.device, precision=options.precision)
    except ModuleNotFoundError as error:
        raise CommandError(f"a model needs more packages ({error.name}): pip install 'fixlip[worker]'") from error


def _runnable(console: Console, encoder: DualEncoder, variants: Sequence[Variant]) -> tuple[Variant, ...]:
    """Without the methods that read attention, where the model shows none."""
    blind = not encoder.card.attention
    left_out = [v.label for v in variants if blind and get_method(v.method).needs_attention]
    if left_out:
        console.print(f"left out, for {encoder.card.id} shows no attention: {', '.join(left_out)}", soft_wrap=True)
    chosen = tuple(variant for variant in variants if variant.label not in left_out)
    if not chosen:
        raise CommandError("no method is left to compare")
    return chosen


def _setup(encoder: DualEncoder, dataset: Dataset, options: BenchmarkOptions) -> Setup:
    card = encoder.card
    return Setup(
        data=dataset.name,
        model=card.id,
        revision=card.revision,
        precision=card.precision,
        device=card.device,
        seed=options.seed,
        budget=options.budget,
        version=version("fixlip"),
    )


def _show(console: Console, outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> None:
    for table in build_tables(outcomes, variants):
        console.print(_rich(table))
    for line in separation(outcomes, variants):
        say(console, line)
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        first = failed[0]
        reason = f"{first.variant}, {first.sample}: {first.error}"
        say(console, f"{len(failed)} explanations are missing; the first: {reason}")


def _rich(table: ResultTable) -> Table:
    shown = Table(title=table.title, caption=table.note, title_justify="left", caption_justify="left")
    for position, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if position else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*map(plain, row))
    return shown
