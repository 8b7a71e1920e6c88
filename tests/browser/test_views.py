"""Every view at three widths, light and dark: no barrier that axe calls serious, nothing cut off, a picture kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import find_barriers
from tests.browser.samples import Samples
from tests.browser.stack import Stack
from tests.browser.views import HEIGHT_PX, VIEWS, WIDTHS_PX, fragments_of, go
from tests.support.browser import open_context, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def shown(browser: Browser, stack: Stack) -> Iterator[Page]:
    """One page that walks through all views."""
    with open_context(browser, stack.url) as (context, witness):
        witness.forgive(r"status of 404")
        yield context.new_page()


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_open_to_everybody_at_every_width(view: str, shown: Page, samples: Samples, screenshots: Path) -> None:
    go(shown, fragments_of(samples)[view])
    barriers = []
    for scheme in ("light", "dark"):
        shown.emulate_media(color_scheme=scheme)
        for width in WIDTHS_PX:
            shown.set_viewport_size({"width": width, "height": HEIGHT_PX})
            settle(shown)
            barriers += [f"{scheme}, {width} px: {barrier}" for barrier in find_barriers(shown)]
            assert shown.evaluate("() => document.documentElement.scrollWidth") <= width, f"cut off at {width} px"
            if scheme == "light" or width == max(WIDTHS_PX):
                shown.screenshot(path=screenshots / f"{view}-{width}-{scheme}.png", full_page=True)
    assert not barriers, "\n".join(barriers)
    expect(shown.locator("h1")).to_have_count(1)
