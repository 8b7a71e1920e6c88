"""The charts of a benchmark's report; the drawing library is imported when they are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fixlip_core.benchmarking.outcomes import Outcome
from fixlip_core.benchmarking.tables import FIGURE_TITLES, quartiles_of, summary_of
from fixlip_core.benchmarking.variants import Variant
from fixlip_core.rendering.rendered import RenderedMap
from fixlip_core.types import FloatArray

if TYPE_CHECKING:
    from fixlip_core.rendering.charts import BarPanel

__all__ = ["render_charts"]

_MEANS: Final = "means with 95 % intervals; orange: second order, blue: first order"
_QUARTILES: Final = "medians with quartiles; orange: second order, blue: first order"
_CURVES: Final = "medians over the samples"


def render_charts(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> tuple[RenderedMap, ...]:
    """Bars for pointing game, areas, faithfulness and confidence, and the median curves of either order."""
    found = [outcome for outcome in outcomes if not outcome.error]
    return (*_bar_charts(found, variants), *_curve_charts(found, variants))


def _bar_charts(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> Iterator[RenderedMap]:
    from fixlip_core.rendering.charts import bar_chart

    counts = sorted({outcome.n_objects for outcome in outcomes})
    pointing = []
    for count in counts:
        chosen = [outcome for outcome in outcomes if outcome.n_objects == count]
        title = f"{count} object{'s' if count > 1 else ''}"
        # On one scale: that more objects are harder to point at is what the panels are there to show.
        pointing.append(replace(_means(title, chosen, variants, "pointing", "recognition"), scale=(0.0, 1.0)))
    charts = [("pointing", "Pointing game", pointing, _MEANS)]
    for metric, title, panel, legend in (
        ("aid", "Area between the curves", _medians, _QUARTILES),
        ("faithfulness", "p-faithfulness", _means, _MEANS),
        ("confidence", "Confidence", _means, _MEANS),
    ):
        names = [name for of, name in FIGURE_TITLES if of == metric]
        panels = [panel(FIGURE_TITLES[metric, name], outcomes, variants, metric, name) for name in names]
        charts.append((metric, title, panels, legend))
    labels, strong = [variant.label for variant in variants], [variant.order == 2 for variant in variants]
    for name, title, panels, legend in charts:
        yield bar_chart(name, title, labels, panels, strong=strong, legend=legend)


def _means(title: str, outcomes: Sequence[Outcome], variants: Sequence[Variant], metric: str, name: str) -> BarPanel:
    summaries = [summary_of(outcomes, variant.label, metric, name) for variant in variants]
    ends = [(s.interval.low, s.interval.high) if s.interval else (np.nan, np.nan) for s in summaries]
    return _panel(title, [(low, s.mean, high) for s, (low, high) in zip(summaries, ends, strict=True)])


def _medians(title: str, outcomes: Sequence[Outcome], variants: Sequence[Variant], metric: str, name: str) -> BarPanel:
    """Of areas, whose means one pair with v(full) close to v(empty) would outweigh."""
    return _panel(title, [quartiles_of(outcomes, variant.label, metric, name) for variant in variants])


def _panel(title: str, bars: Sequence[tuple[float, float, float]]) -> BarPanel:
    from fixlip_core.rendering.charts import BarPanel

    lows, middles, highs = np.array(bars).reshape(-1, 3).T
    return BarPanel(title, middles, lows, highs)


def _curve_charts(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> list[RenderedMap]:
    from fixlip_core.rendering.charts import curve_chart
    from fixlip_core.rendering.plots import CurvePanel

    charts = []
    for order, ordinal in ((1, "first"), (2, "second")):
        panels = []
        for variant in variants:
            if variant.order < order:
                continue
            names = [f"{ordinal}_order_{end}" for end in ("most_first", "least_first")]
            most, least = (_median_curve(outcomes, variant.label, name) for name in names)
            panels.append(CurvePanel(variant.label, most, least))
        if panels:
            title = f"Insertion and deletion, {ordinal} order"
            charts.append(curve_chart(f"curves-{ordinal}-order", title, panels, legend=_CURVES))
    return charts


def _median_curve(outcomes: Sequence[Outcome], variant: str, name: str) -> FloatArray:
    """(m,) median heights over the samples whose curves are not turned over; nan where there are none."""
    curves = [
        outcome.curves[name]
        for outcome in outcomes
        if outcome.variant == variant and outcome.curves is not None and not outcome.flipped and name in outcome.curves
    ]
    return np.median(curves, axis=0) if curves else np.full(2, np.nan)
