"""How fast and how heavy the page and the report are: ``python -m benchmarks.page``.

The page at ``/`` is opened by headless Chromium, with an empty cache each time, from the real API without workers; its
weight is what the API sends. The report is of random values over 16 x 16 patches and 20 words, 276 players and 37,950
pairs, opened from disk; the latency of a touch is the time from the browser's input event to the end of the second
frame after it, when what an effect draws after the first is painted too. A report over 14 x 14 patches and 20 words is
weighed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from playwright.sync_api import Browser, Locator, Page
from rich.console import Console
from rich.table import Table

from benchmarks.deployment import deploy
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.explanation import Explanation
from fixlip_core.report import render_report, report_document
from tests.support.browser import chromium

__all__ = ["random_explanation", "report_of"]

WORDS: Final = ("a", "red", "circle", "above", "the", "small", "blue", "square", "and", "green", "triangle")

_PAINTS: Final = """
() => new Promise((resolve) => {
  const found = {};
  const look = () => {
    for (const entry of performance.getEntriesByType("paint")) found[entry.name] = entry.startTime;
    if ("first-contentful-paint" in found) resolve(found);
    else setTimeout(look, 10);
  };
  look();
})
"""
_WEIGHT: Final = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((entry) => !/\\/v1\\//.test(entry.name))
  .map((entry) => entry.encodedBodySize)
  .reduce((sum, size) => sum + size, 0)
"""
_LISTEN: Final = """
() => {
  window.latencies = [];
  const note = (event) => {
    const began = event.timeStamp;
    const after = new MessageChannel();
    after.port1.onmessage = () => window.latencies.push(performance.now() - began);
    requestAnimationFrame(() => requestAnimationFrame(() => after.port2.postMessage(0)));
  };
  for (const kind of ["pointerover", "click", "keydown", "input"]) addEventListener(kind, note, {capture: true});
}
"""
_LATENCY: Final = """
() => new Promise((resolve) => {
  const look = () => window.latencies.length ? resolve(Math.max(...window.latencies.splice(0))) : setTimeout(look, 5);
  look();
})
"""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how often each figure is taken")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    table = Table(title=f"the page in headless Chromium, {options.rounds} rounds")
    for name in ("", "median", "worst", "wanted"):
        table.add_column(name, justify="left" if not name else "right")
    with chromium() as browser:
        _add_page(table, browser, options.rounds)
        _add_touches(table, browser, options.rounds, options.seed)
    report_kb = len(report_of(random_explanation((14, 14), seed=options.seed))) / 1_000
    table.add_row("report over 14 x 14 patches and 20 words, kB", f"{report_kb:.0f}", "", "2000")
    Console(width=110).print(table)


def random_explanation(grid: tuple[int, int], *, n_tokens: int = 20, seed: int = 0) -> Explanation:
    """An explanation of random values, each with a standard error: how long drawing takes does not depend on them.

    Args:
        grid: rows and columns of patches.
        n_tokens: how many words.
        seed: of the values.
    """
    n = grid[0] * grid[1] + n_tokens
    rng = np.random.default_rng(seed)
    pairs = np.triu(rng.normal(size=(n, n)) ** 3, 1)
    errors = np.triu(rng.uniform(0.01, 0.1, size=(n, n)), 1)
    return Explanation(
        tokens=tuple(WORDS[k % len(WORDS)] for k in range(n_tokens)),
        grid=grid,
        baseline=0.5,
        first=rng.normal(size=n),
        second=pairs + pairs.T,
        first_std_error=rng.uniform(0.01, 0.1, size=n),
        second_std_error=errors + errors.T,
        empty_value=0.5,
        full_value=3.0,
        method="fixlip",
        index="WFBII",
        order=2,
        p=0.5,
        score="logit",
        image_passes=512,
        text_passes=16,
    )


def report_of(explanation: Explanation) -> bytes:
    """Its report over a drawn scene."""
    return render_report(report_document(explanation, draw_scene(7).image, embed_image=True))


def _add_page(table: Table, browser: Browser, rounds: int) -> None:
    paints: list[dict[str, float]] = []
    with deploy(workers=()) as service:
        for _ in range(rounds):
            with _page(browser) as page:
                page.goto(f"{service.http.base_url}/", wait_until="networkidle")
                paints.append(page.evaluate(_PAINTS))
                weight_bytes = page.evaluate(_WEIGHT)
    _add(table, "first paint, ms", [paint["first-paint"] for paint in paints], 1_000)
    _add(table, "first contentful paint, ms", [paint["first-contentful-paint"] for paint in paints], 1_000)
    table.add_row("weight of the page as it is sent, kB", f"{weight_bytes / 1_000:.0f}", "", "300")


def _add_touches(table: Table, browser: Browser, rounds: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _page(browser) as page:
        file = Path(folder) / "report.html"
        file.write_bytes(report_of(random_explanation((16, 16), seed=seed)))
        page.goto(file.as_uri())
        page.evaluate(_LISTEN)
        for name, tab, touch in _touches(page):
            page.get_by_role("tab", name=tab, exact=True).click()
            page.wait_for_load_state("networkidle")
            _add(table, f"{name}, ms", [_latency_ms(page, touch, number) for number in range(rounds)], 100)


def _touches(page: Page) -> list[tuple[str, str, Callable[[int], None]]]:
    """What is done, in which of the views, and how it is done for the n-th time."""
    words = page.get_by_role("toolbar", name="Words of the caption").get_by_role("button")
    patches, sliders, tabs = page.get_by_role("gridcell"), page.get_by_role("slider"), page.get_by_role("tab")
    return [
        ("point at a word: main effects", "First order", lambda n: _point(words.nth(n % 20))),
        ("point at a word: its map", "Conditioned", lambda n: _point(words.nth(n % 20))),
        ("point at a patch: its map", "Conditioned", lambda n: _point(patches.nth(37 * n % 256))),
        ("point at a word: its pairs", "Graph", lambda n: _point(words.nth(n % 20))),
        ("pin a word", "Conditioned", lambda n: words.nth(n % 20).click()),
        ("move the slider of pairs", "Graph", lambda n: sliders.first.press("ArrowRight")),
        ("move the slider of subsets", "Subsets", lambda n: sliders.first.press("ArrowRight")),
        ("another view", "Values", lambda n: tabs.nth(n % 5).click()),
    ]


def _point(locator: Locator) -> None:
    """Move the mouse there, and there alone: a step in between would be a touch of its own."""
    box = locator.bounding_box()
    if box is None:
        raise RuntimeError("the report has not been drawn")
    locator.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def _latency_ms(page: Page, touch: Callable[[int], None], number: int) -> float:
    page.evaluate("() => { window.latencies = [] }")
    touch(number)
    return float(page.evaluate(_LATENCY))


@contextmanager
def _page(browser: Browser, **options: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1_400}, **options)
    try:
        yield context.new_page()
    finally:
        context.close()


def _add(table: Table, name: str, figures: Sequence[float], wanted: float) -> None:
    table.add_row(name, f"{median(figures):.0f}", f"{max(figures):.0f}", f"{wanted:.0f}")


if __name__ == "__main__":
    main()
