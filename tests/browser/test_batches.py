"""A batch's page: its table, its pictures, its files, and a batch that is submitted, canceled, tried again."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from fixlip.client import Client
from tests.browser.accessibility import find_barriers
from tests.browser.samples import CAPTION, HOSTILE, PICTURE, Samples
from tests.browser.stack import Stack
from tests.browser.viewer import number, tab
from tests.browser.views import go
from tests.support.browser import Witness

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_table_is_sorted_filtered_and_leads_on(page: Page, stack: Stack, samples: Samples) -> None:
    with Client(stack.url) as client:
        drops = {
            job.custom_id: score.value
            for job in client.jobs()
            if job.batch_id == samples.batch.id and job.output
            for score in job.output.evaluation
            if score.name == "image_drop"
        }
    go(page, f"#/batches/{samples.batch.id}")
    rows = page.get_by_role("table", name="Explanations of the batch").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(len(drops))
    head = page.get_by_role("columnheader", name=re.compile("image drop"))
    for order in ("ascending", "descending"):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", order)
        cells = page.get_by_role("cell").and_(page.locator("[data-label$='image drop']")).all_inner_texts()
        shown = [number(cell) for cell in cells]
        wanted = sorted((value for value in drops.values() if value is not None), reverse=order == "descending")
        assert shown == pytest.approx(wanted, abs=6e-3)
    page.get_by_label("Search").fill("scene")
    expect(rows).to_have_count(2)
    page.get_by_role("combobox", name="Method", exact=True).select_option(label="grad_eclip")
    expect(rows).to_have_count(1)
    assert "scene" in page.url
    page.reload()
    expect(rows).to_have_count(1)
    rows.first.scroll_into_view_if_needed()  # pictures are fetched once they come into sight
    expect(rows.locator("canvas, img").first).to_be_visible()
    rows.get_by_role("rowheader").get_by_role("link").first.click()
    expect(tab(page, "First order")).to_be_visible()


def test_its_files_are_those_of_the_api(page: Page, stack: Stack, samples: Samples) -> None:
    go(page, f"#/batches/{samples.batch.id}")
    for name, below in (("CSV", "table.csv"), ("JSON lines", "results.jsonl"), ("Summary", "summary")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Download {name}").click()
        answer = httpx.get(f"{stack.url}/v1/batches/{samples.batch.id}/{below}", trust_env=False)
        assert saved.value.path().read_bytes() == answer.content


def test_a_batch_is_submitted_and_its_mistakes_are_told(page: Page, witness: Witness, screenshots: Path) -> None:
    witness.forgive(r"status of 422")
    go(page, "#/batches")
    page.get_by_role("button", name="Submit a batch").click()
    form = page.get_by_role("form", name="Submit a batch")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as images:
        images.writestr("a.png", PICTURE)
    form.get_by_label("Pictures").set_input_files(
        {"name": "images.zip", "mimeType": "application/zip", "buffer": archive.getvalue()}
    )
    wrong = f'image,caption\na.png,"{CAPTION}"\nb.png,nothing there\n'.encode()
    form.get_by_label("Manifest").set_input_files({"name": "pairs.csv", "mimeType": "text/csv", "buffer": wrong})
    form.get_by_label("grad_eclip").check()
    form.get_by_role("button", name="Submit", exact=True).click()
    expect(form).to_contain_text("b.png")
    page.screenshot(path=screenshots / "batch-refused-1280-light.png", full_page=True)
    assert find_barriers(page) == []
    right = f'image,caption,custom_id\na.png,"{CAPTION}",one\n'.encode()
    form.get_by_label("Manifest").set_input_files({"name": "pairs.csv", "mimeType": "text/csv", "buffer": right})
    form.get_by_role("button", name="Submit", exact=True).click()
    expect(page).to_have_url(re.compile("#/batches/[0-9a-f]{32}"))
    expect(page.get_by_role("rowheader").get_by_text("one")).to_be_visible()


def test_a_running_batch_is_followed_and_canceled(page: Page, stack: Stack) -> None:
    methods = [{"method": "fixlip", "params": {"budget": 8192, "seed": seed}} for seed in range(20, 23)]
    with Client(stack.url) as client:
        batch = client.batches.submit(pairs=[{"image": PICTURE, "caption": CAPTION}], methods=methods)
    go(page, f"#/batches/{batch.id}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Retry what has no result")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=re.compile("cancel", re.IGNORECASE)).first).to_be_visible()


def test_the_batches_are_listed(page: Page, samples: Samples) -> None:
    go(page, "#/batches")
    page.locator(f"a[href$='{samples.batch.id}']").click()
    expect(page.get_by_text(HOSTILE[:60]).first).to_be_visible()
