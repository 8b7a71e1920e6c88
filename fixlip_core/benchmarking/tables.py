"""The field's tables, from outcomes: pointing game, area between curves, faithfulness, and confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from fixlip_core.benchmarking.outcomes import Outcome
from fixlip_core.benchmarking.variants import Variant, reference_of
from fixlip_core.evaluation import Summary, compare_paired, summarise

__all__ = ["FIGURE_TITLES", "ResultTable", "build_tables", "quartiles_of", "summary_of", "values_of"]

FIGURE_TITLES: Final = MappingProxyType(
    {
        ("pointing", "recognition"): "recognition",
        ("aid", "first_order"): "first order",
        ("aid", "second_order"): "second order",
        ("faithfulness", "r2"): "R\N{SUPERSCRIPT TWO}",
        ("faithfulness", "pearson"): "Pearson",
        ("faithfulness", "spearman"): "Spearman",
        ("confidence", "image_drop"): "image: drop",
        ("confidence", "image_increase"): "image: increase",
        ("confidence", "text_drop"): "text: drop",
        ("confidence", "text_increase"): "text: increase",
    }
)
"""What the tables call each figure, by its metric and its name."""

NOTHING: Final = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table as text; the first column is left-aligned, the others are numbers."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def build_tables(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> tuple[ResultTable, ...]:
    """The four tables, and FIxLIP against each of the others on the same samples.

    Args:
        outcomes: those of any number of samples; what could not be explained counts nowhere.
        variants: the rows, in their order.
    """
    found = [outcome for outcome in outcomes if not outcome.error]
    return (
        _pointing_table(found, variants),
        _area_table(found, variants),
        _figures_table(
            "p-faithfulness",
            "On fresh coalitions; higher is better. Attributions predict no values and have no R\N{SUPERSCRIPT TWO}.",
            found,
            variants,
            "faithfulness",
        ),
        _figures_table(
            "Confidence drop and increase",
            "Drop of the cosine: lower is better. Increase: share of samples where it rises; higher is better.",
            found,
            variants,
            "confidence",
        ),
        *_paired_table(found, variants),
    )


def values_of(outcomes: Sequence[Outcome], variant: str, metric: str, name: str) -> dict[int, float]:
    """A figure of every sample that has one, by the sample's number; nan where the variant has no value.

    Areas of flipped samples are nan too.
    """
    values = {}
    for outcome in outcomes:
        if outcome.variant != variant:
            continue
        for figure in outcome.figures:
            if (figure.metric, figure.name) == (metric, name):
                left_out = metric == "aid" and outcome.flipped
                values[outcome.index] = np.nan if figure.value is None or left_out else figure.value
    return values


def summary_of(outcomes: Sequence[Outcome], variant: str, metric: str, name: str) -> Summary:
    """The mean of a figure; see :func:`values_of`."""
    return summarise(list(values_of(outcomes, variant, metric, name).values()))


def quartiles_of(outcomes: Sequence[Outcome], variant: str, metric: str, name: str) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of a figure; nan where there are no values. See :func:`values_of`."""
    values = np.array(list(values_of(outcomes, variant, metric, name).values()))
    kept = values[np.isfinite(values)]
    if not len(kept):
        return np.nan, np.nan, np.nan
    lower, median, upper = np.quantile(kept, (0.25, 0.5, 0.75)).tolist()
    return lower, median, upper


def _pointing_table(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> ResultTable:
    counts = sorted({outcome.n_objects for outcome in outcomes})
    rows = []
    lines = [(variant.label, variant.label, "recognition") for variant in variants]
    # It is the same for all of them.
    lines += [("(a map of equal values)", variant.label, "uniform") for variant in variants[:1]]
    for label, variant, name in lines:
        by_count = [
            summary_of([o for o in outcomes if o.n_objects == count], variant, "pointing", name) for count in counts
        ]
        whole = summary_of(outcomes, variant, "pointing", name)
        costs = _costs(outcomes, variant) if name == "recognition" else (NOTHING, NOTHING)
        rows.append((label, *map(_cell, by_count), _cell(whole), str(whole.n), *costs))
    columns = [f"{count} object{'s' if count > 1 else ''}" for count in counts]
    return ResultTable(
        "Pointing game, by the number of objects that the caption names",
        "Share of a word's values that lie where they should; higher is better.",
        ("method", *columns, "all", *_COST_COLUMNS),
        tuple(rows),
    )


def _area_table(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> ResultTable:
    rows = []
    for variant in variants:
        cells = []
        for name in ("first_order", "second_order"):
            summary = summary_of(outcomes, variant.label, "aid", name)
            _, median, _ = quartiles_of(outcomes, variant.label, "aid", name)
            cells += [_cell(summary), NOTHING if np.isnan(median) else f"{median:.3f}"]
        n = summary_of(outcomes, variant.label, "aid", "first_order").n
        rows.append((variant.label, *cells, str(n), *_costs(outcomes, variant.label)))
    return ResultTable(
        "Area between the insertion and deletion curves",
        "Higher is better. Samples with v(full) <= v(empty) are left out; where the two are close, areas are huge.",
        ("method", "first order", "median", "second order", "median", *_COST_COLUMNS),
        tuple(rows),
    )


def _figures_table(
    title: str, note: str, outcomes: Sequence[Outcome], variants: Sequence[Variant], metric: str
) -> ResultTable:
    names = [name for of, name in FIGURE_TITLES if of == metric]
    rows = []
    for variant in variants:
        summaries = [summary_of(outcomes, variant.label, metric, name) for name in names]
        n = max(summary.n for summary in summaries)
        rows.append((variant.label, *map(_cell, summaries), str(n), *_costs(outcomes, variant.label)))
    columns = (FIGURE_TITLES[metric, name] for name in names)
    return ResultTable(title, note, ("method", *columns, *_COST_COLUMNS), tuple(rows))


def _paired_table(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> tuple[ResultTable, ...]:
    """FIxLIP against the others; none where there is nobody to compare."""
    ours = reference_of(variants)
    if ours is None or len(variants) < 2:
        return ()
    mine = values_of(outcomes, ours.label, "faithfulness", "spearman")
    rows = []
    for other in variants:
        if other == ours:
            continue
        theirs = values_of(outcomes, other.label, "faithfulness", "spearman")
        shared = sorted(mine.keys() & theirs.keys())
        found = compare_paired([mine[k] for k in shared], [theirs[k] for k in shared])
        interval = f"{found.interval.low:+.3f} to {found.interval.high:+.3f}" if found.interval else NOTHING
        difference = f"{found.mean_difference:+.3f}" if found.n else NOTHING
        p_value = NOTHING if np.isnan(found.p_value) else f"{found.p_value:.2g}"
        counts = map(str, (found.wins, found.losses, found.ties))
        rows.append((other.label, *counts, difference, interval, p_value, str(found.n)))
    return (
        ResultTable(
            f"Faithfulness (Spearman) of {ours.label} against the others, sample by sample",
            "Differences of the means with 95 % bootstrap intervals; p of Wilcoxon's signed-rank test.",
            ("against", "wins", "losses", "ties", "difference", "95 % interval", "p", "n"),
            tuple(rows),
        ),
    )


_COST_COLUMNS: Final = ("n", "seconds", "passes")


def _costs(outcomes: Sequence[Outcome], variant: str) -> tuple[str, str]:
    """Means of an explanation's seconds, and of its image and text passes."""
    mine = [outcome for outcome in outcomes if outcome.variant == variant]
    if not mine:
        return NOTHING, NOTHING
    seconds, image, text = np.mean([(o.seconds, o.image_passes, o.text_passes) for o in mine], axis=0)
    return f"{seconds:.3f}", f"{image:,.0f} + {text:,.0f}"


def _cell(summary: Summary) -> str:
    """Mean and standard error."""
    if not summary.n:
        return NOTHING
    if np.isnan(summary.std_error):
        return f"{summary.mean:.3f}"
    return f"{summary.mean:.3f} \N{PLUS-MINUS SIGN} {summary.std_error:.3f}"
