"""Every view of the page, by name: where it is, and when it is there."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page, expect

from tests.browser.samples import Samples

__all__ = ["HEIGHT_PX", "VIEWS", "WIDTHS_PX", "fragments_of", "go"]

WIDTHS_PX: Final = (390, 820, 1280)
HEIGHT_PX: Final = 900
_TABS: Final = ("first-order", "conditioned", "graph", "subsets", "values", "metrics", "record")
VIEWS: Final = (
    "new",
    "explanations",
    *(f"explanation-{tab}" for tab in _TABS),
    "attribution",
    "hostile",
    "failed",
    "canceled",
    "missing",
    "compare",
    "compare-choice",
    "batches",
    "batch",
    "nowhere",
)


def fragments_of(samples: Samples) -> dict[str, str]:
    """The fragment of each view that a service with these jobs can show."""
    explanation = f"#/explanations/{samples.fixlip.id}"
    word = samples.truth.n_image
    options = {"conditioned": f"&player={word}", "graph": "&pairs=30", "subsets": "&size=12"}
    return {
        "new": "#/",
        "explanations": "#/explanations",
        **{f"explanation-{tab}": f"{explanation}?view={tab}{options.get(tab, '')}" for tab in _TABS},
        "attribution": f"#/explanations/{samples.attribution.id}",
        "hostile": f"#/explanations/{samples.hostile.id}",
        "failed": f"#/explanations/{samples.failed.id}",
        "canceled": f"#/explanations/{samples.canceled.id}",
        "missing": f"#/explanations/{'0' * 32}",
        "compare": f"#/compare?explanations={samples.fixlip.id},{samples.attribution.id}",
        "compare-choice": "#/compare",
        "batches": "#/batches",
        "batch": f"#/batches/{samples.batch.id}",
        "nowhere": "#/nowhere",
    }


def go(page: Page, fragment: str) -> None:
    """Open a view and wait until it is drawn."""
    page.goto(f"/{fragment}")
    expect(page.locator("main:not([aria-busy=true]) h1")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
