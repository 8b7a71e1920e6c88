"""A benchmark's files: a report in Markdown, tidy CSV, and figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from fixlip_core.benchmarking.charts import render_charts
from fixlip_core.benchmarking.outcomes import Outcome
from fixlip_core.benchmarking.separation import separation
from fixlip_core.benchmarking.setup import Setup
from fixlip_core.benchmarking.tables import FIGURE_TITLES, ResultTable, build_tables, quartiles_of, summary_of
from fixlip_core.benchmarking.variants import Variant

__all__ = ["write_report"]

_ROW: Final = (
    *("data", "sample", "index", "n_objects", "caption", "model", "revision", "variant", "method", "parameters"),
    *("metric", "score", "value", "ci_low", "ci_high", "higher_is_better", "note"),
    *("seconds", "image_passes", "text_passes", "evaluation_image_passes", "evaluation_text_passes"),
)
_SUMMARY: Final = (
    *("variant", "metric", "score", "n_objects", "n", "mean", "std_error", "ci_low", "ci_high", "median", "n_missing"),
)


def write_report(out: Path, setup: Setup, outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> None:
    """Write ``report.md``, ``scores.csv`` (a row for each explanation and score), ``summary.csv`` and ``figures/``.

    Args:
        out: the directory, which is there.
        setup: what was run.
        outcomes: what was found; of some of the samples if the run was stopped.
        variants: the rows, in their order; every outcome is of one of them.
    """
    places = {variant.label: place for place, variant in enumerate(variants)}
    ordered = sorted(outcomes, key=lambda outcome: (outcome.index, places[outcome.variant]))
    charts = render_charts(ordered, variants)
    figures = out / "figures"
    figures.mkdir(exist_ok=True)
    for chart in charts:
        (figures / f"{chart.name}.png").write_bytes(chart.png)
        (figures / f"{chart.name}.svg").write_bytes(chart.svg)
    _write_csv(out / "scores.csv", _ROW, _rows(setup, ordered))
    _write_csv(out / "summary.csv", _SUMMARY, _summaries(ordered, variants))
    parts = [_heading(setup, ordered), *(f"- {line}" for line in separation(ordered, variants)), ""]
    parts += [_markdown(table) for table in build_tables(ordered, variants)]
    parts += [f"![{chart.title}](figures/{chart.name}.png)\n" for chart in charts]
    (out / "report.md").write_text("\n".join(parts), encoding="utf-8")


def _heading(setup: Setup, outcomes: Sequence[Outcome]) -> str:
    samples = len({outcome.index for outcome in outcomes})
    failed = [outcome for outcome in outcomes if outcome.error]
    lines = [
        f"# Benchmark of explanations: {setup.data}",
        "",
        f"Model {setup.model} ({setup.revision}, {setup.precision}, {setup.device}), {samples} samples, seed "
        f"{setup.seed}, budget {setup.budget} image passes, fixlip {setup.version}. Means with their standard errors; "
        "seconds and passes are those of one explanation, without what judging it takes.",
        "",
    ]
    if failed:
        lines += [
            f"{len(failed)} explanations are missing; the first: {failed[0].variant}, {failed[0].sample}: "
            f"{failed[0].error}",
            "",
        ]
    return "\n".join(lines)


def _markdown(table: ResultTable) -> str:
    dashes = [":--", *["--:"] * (len(table.columns) - 1)]
    lines = [f"| {' | '.join(row)} |" for row in (table.columns, dashes, *table.rows)]
    return "\n".join([f"## {table.title}", "", *lines, "", table.note, ""])


def _rows(setup: Setup, outcomes: Sequence[Outcome]) -> Iterator[tuple[object, ...]]:
    for o in outcomes:
        about = (setup.data, o.sample, o.index, o.n_objects, o.caption, setup.model, setup.revision)
        how = (o.variant, o.method, json.dumps(o.parameters, sort_keys=True))
        costs = (o.seconds, o.image_passes, o.text_passes, o.evaluation_image_passes, o.evaluation_text_passes)
        for f in o.figures:
            figure = (f.metric, f.name, f.value, f.ci_low, f.ci_high, f.higher_is_better, f.note)
            yield (*about, *how, *figure, *costs)
        if o.error:
            yield (*about, *how, *(None,) * 6, o.error, *(None,) * 5)


def _summaries(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> Iterator[tuple[object, ...]]:
    found = [outcome for outcome in outcomes if not outcome.error]
    counts = sorted({outcome.n_objects for outcome in found})
    for variant in variants:
        for metric, name in FIGURE_TITLES:
            for count in (None, *counts):
                chosen = [outcome for outcome in found if count in (None, outcome.n_objects)]
                summary = summary_of(chosen, variant.label, metric, name)
                ends = (summary.interval.low, summary.interval.high) if summary.interval else (None, None)
                about = (variant.label, metric, name, "all" if count is None else count)
                _, median, _ = quartiles_of(chosen, variant.label, metric, name)
                mean, error, middle = (None if np.isnan(v) else v for v in (summary.mean, summary.std_error, median))
                yield (*about, summary.n, mean, error, *ends, middle, summary.n_missing)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
