"""A report as its reader has it: a file, no network, and paper."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import find_barriers
from tests.browser.samples import Samples
from tests.browser.stack import Stack
from tests.browser.viewer import assert_shows, patch, readout, tab, words
from tests.browser.views import HEIGHT_PX, WIDTHS_PX
from tests.support.browser import open_context, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def report(stack: Stack, samples: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of an evaluated explanation, on the disk."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    answer = httpx.get(f"{stack.url}/v1/explanations/{samples.fixlip.id}/report.html", trust_env=False)
    file.write_bytes(answer.raise_for_status().content)
    return file


def test_it_is_explored_without_a_network(browser: Browser, report: Path, samples: Samples) -> None:
    truth = samples.truth
    with open_context(browser, "", offline=True) as (context, _):
        page = context.new_page()
        page.goto(report.as_uri())
        expect(page.get_by_role("heading", level=1)).to_have_text(samples.fixlip.input.caption)
        tab(page, "Conditioned").click()
        words(page).first.click()
        patch(page, 2, 6).hover()
        row_by_row = 2 * truth.grid[1] + 6
        assert_shows(readout(page).inner_text(), [truth.second[row_by_row, truth.n_image]])
        for name in ("Graph", "Subsets", "Values", "Metrics", "Record"):
            tab(page, name).click()
            expect(tab(page, name)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_text(samples.fixlip.id).first).to_be_visible()
        page.goto(report.as_uri() + "#" + page.url.partition("#")[2])
        page.reload()
        expect(tab(page, "Record")).to_have_attribute("aria-selected", "true")


def test_the_service_shows_it_too(page: Page, samples: Samples) -> None:
    page.goto(f"/v1/explanations/{samples.fixlip.id}/report.html")
    tab(page, "Graph").click()
    words(page).first.click()
    expect(words(page).first).to_have_attribute("aria-pressed", "true")
    assert "view=graph" in page.url


def test_it_is_open_to_everybody_at_every_width(browser: Browser, report: Path, screenshots: Path) -> None:
    with open_context(browser, "") as (context, _):
        page = context.new_page()
        page.goto(report.as_uri())
        expect(tab(page, "First order")).to_be_visible()
        barriers = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS_PX:
                page.set_viewport_size({"width": width, "height": HEIGHT_PX})
                settle(page)
                barriers += [f"{scheme}, {width} px: {barrier}" for barrier in find_barriers(page)]
                assert page.evaluate("() => document.documentElement.scrollWidth") <= width
                if scheme == "light" or width == max(WIDTHS_PX):
                    page.screenshot(path=screenshots / f"report-{width}-{scheme}.png", full_page=True)
        assert not barriers, "\n".join(barriers)


def test_on_paper_all_views_stand_one_under_another(
    browser: Browser, report: Path, samples: Samples, screenshots: Path
) -> None:
    with open_context(browser, "") as (context, _):
        page = context.new_page()
        page.goto(report.as_uri())
        expect(page.locator(".printed-views")).to_have_count(1)
        page.emulate_media(media="print")
        paper = page.pdf(path=screenshots / "report-print.pdf", format="A4", print_background=True)
        assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 20
        shown = page.locator("body").inner_text().lower()
        for words_of_it in ("first", "best", "metrics", "record", samples.fixlip.id):
            assert words_of_it in shown
        for token in samples.truth.tokens:
            assert token in shown
        page.set_viewport_size({"width": 820, "height": HEIGHT_PX})
        page.screenshot(path=screenshots / "report-print.png", full_page=True)


def test_without_javascript_it_tells_what_matters(browser: Browser, report: Path, samples: Samples) -> None:
    with open_context(browser, "", java_script_enabled=False) as (context, _):
        page = context.new_page()
        page.goto(report.as_uri())
        strongest = samples.truth.top_interactions(1)[0]
        expect(page.locator("noscript h1")).to_have_text(samples.fixlip.input.caption)
        for label in strongest.labels:
            expect(page.locator("noscript tbody tr").first).to_contain_text(label)
