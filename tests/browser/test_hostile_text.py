"""What people write - captions, ids, notes, names of files - is shown as it is, and never becomes markup."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.samples import HOSTILE, PICTURE, Samples
from tests.browser.stack import Stack
from tests.browser.viewer import tab
from tests.browser.views import go
from tests.support.browser import Witness, open_context

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_INTRUDERS = """
() => [...document.querySelectorAll("*")].filter((element) =>
    element.matches("img[src='x'], iframe, object, embed, base, meta[http-equiv=refresh]")
    || [...element.attributes].some(({name, value}) => /^on/i.test(name) || /^\\s*javascript:/i.test(value)))
  .map((element) => element.outerHTML.slice(0, 200))
"""
"""Elements that only somebody else's text can have made; the witness of each page hears what they would do."""


def assert_only_text(page: Page, text: str = HOSTILE) -> None:
    expect(page.get_by_text(text[:28]).first).to_be_visible()
    assert page.evaluate(_INTRUDERS) == []


def test_in_an_explanation(page: Page, samples: Samples) -> None:
    go(page, f"#/explanations/{samples.hostile.id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page).to_have_title(f"{HOSTILE} \u00b7 FIxLIP")
    for name in ("First order", "Conditioned", "Graph", "Subsets", "Values", "Metrics", "Record"):
        tab(page, name).click()
        assert_only_text(page)
    page.get_by_role("button", name="Downloads").click()
    assert_only_text(page)


def test_in_lists(page: Page, samples: Samples) -> None:
    for fragment in ("#/explanations", "#/compare", f"#/batches/{samples.batch.id}"):
        go(page, fragment)
        assert_only_text(page)
    go(page, f"#/compare?explanations={samples.hostile.id},{samples.hostile.id}")
    assert page.evaluate(_INTRUDERS) == []


def test_in_names_of_files_and_in_addresses(page: Page, witness: Witness) -> None:
    witness.forgive("status of 4(04|22)")
    go(page, "#/")
    name = "<img src=x onerror=alert(1)>.png"
    page.get_by_label("Picture", exact=True).set_input_files({"name": name, "mimeType": "image/png", "buffer": PICTURE})
    assert_only_text(page, name)
    for fragment in (
        "#/explanations/<img src=x onerror=alert(1)>",
        "#/explanations/javascript:alert(1)",
        "#/batches/..%2f..%2fdocs",
        "#/compare?explanations=<script>alert(1)</script>,javascript:alert(2)",
        "#/explanations?status=<img src=x>&model=javascript:alert(1)",
    ):
        go(page, fragment)
        assert page.evaluate(_INTRUDERS) == []


def test_in_a_report(browser: Browser, stack: Stack, samples: Samples, tmp_path: Path) -> None:
    answer = httpx.get(f"{stack.url}/v1/explanations/{samples.hostile.id}/report.html", trust_env=False)
    (tmp_path / "report.html").write_bytes(answer.raise_for_status().content)
    assert base64.b64encode(b"\x89PNG")[:4] in answer.content
    for script in (True, False):
        with open_context(browser, "", java_script_enabled=script) as (context, _):
            page = context.new_page()
            page.goto((tmp_path / "report.html").as_uri())
            if script:
                expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
                tab(page, "Record").click()
                assert_only_text(page)
            else:
                expect(page.locator("noscript h1")).to_have_text(HOSTILE)
                assert page.locator("img[src='x']").count() == 0
