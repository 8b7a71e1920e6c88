"""Two explanations of one pair side by side."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from fixlip.client import Client
from tests.browser.samples import CAPTION, Samples
from tests.browser.stack import Stack
from tests.browser.viewer import number, patch, readout, tab, warmth, words
from tests.browser.views import go
from tests.support.browser import Witness, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_two_methods_side_by_side(page: Page, stack: Stack, samples: Samples) -> None:
    ids = (samples.fixlip.id, samples.attribution.id)
    go(page, f"#/compare?explanations={','.join(ids)}")
    columns = page.locator("main li").filter(has=page.get_by_role("toolbar", name="Words of the caption"))
    expect(columns).to_have_count(2)
    first, second = columns.all()
    expect(first.get_by_role("heading", level=2)).to_have_text("fixlip")
    expect(second.get_by_role("heading", level=2)).to_have_text("grad_eclip")
    patch(first, 2, 6).hover()
    expect(readout(first)).to_contain_text("patch row 2, column 6")
    expect(readout(second)).to_contain_text("patch row 2, column 6")
    words(second).nth(1).hover()
    expect(readout(first)).to_contain_text(f"word \u201c{samples.truth.tokens[1]}\u201d")
    words(second).nth(1).click()
    expect(words(first).nth(1)).to_have_attribute("aria-pressed", "true")
    page.mouse.move(0, 0)
    settle(page)
    assert not np.allclose(warmth(first, samples.truth.grid), warmth(second, samples.truth.grid))
    with Client(stack.url) as client:
        compared = client.compare(ids)
    rows = page.get_by_role("region", name="How far they agree").locator("tbody tr")
    told = {agreement.part: agreement.spearman for agreement in compared.agreements}
    shown = rows.filter(has_text="picture").get_by_role("cell").first.inner_text()
    assert told["image"] is not None
    assert number(shown) == pytest.approx(told["image"], abs=6e-3)


def test_they_are_chosen_from_the_recent_ones(page: Page, samples: Samples) -> None:
    go(page, "#/explanations")
    jobs = page.get_by_role("list", name="Explanations").get_by_role("listitem").filter(has_text=CAPTION)
    for identifier in (samples.fixlip.id, samples.attribution.id):
        jobs.filter(has=page.locator(f"a[href$='{identifier}']")).get_by_role("checkbox").check()
    page.get_by_role("link", name="Compare 2").click()
    expect(page.get_by_role("region", name="How far they agree")).to_be_visible()
    tab(page, "Graph").click()
    expect(page).to_have_url(re.compile("view=graph"))


def test_another_method_is_asked_for_from_an_explanation(page: Page, samples: Samples) -> None:
    # Sent by the page itself, which then has the picture to send it again.
    go(page, f"#/explanations/{samples.fixlip.id}")
    page.get_by_role("link", name="Compare with an earlier one").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("^grad_eclip")).first.check()
    page.get_by_role("button", name="Compare these 2").click()
    expect(page.get_by_role("region", name="How far they agree")).to_be_visible()


def test_what_cannot_be_compared_says_so(page: Page, witness: Witness, samples: Samples) -> None:
    witness.forgive(r"status of 4\d\d")
    go(page, f"#/compare?explanations={samples.fixlip.id},{samples.hostile.id}")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("compare", re.IGNORECASE))
