"""Jobs that are looked at again: lists, ends that are no explanation, and what may be done with them."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from fixlip.client import Client
from tests.browser.conftest import OpenPage
from tests.browser.samples import CAPTION, PICTURE, Samples
from tests.browser.stack import Stack
from tests.browser.viewer import tab
from tests.browser.views import go
from tests.support.browser import Witness, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_recent_jobs_are_listed_and_filtered(page: Page, samples: Samples) -> None:
    go(page, "#/explanations")
    jobs = page.get_by_role("list", name="Explanations").get_by_role("listitem")
    expect(jobs.filter(has_text=samples.fixlip.input.caption).first).to_be_visible()
    page.get_by_label("Status").select_option("failed")
    expect(jobs.filter(has_text="failed")).to_have_count(1)
    expect(jobs).to_have_count(1)
    assert "status=failed" in page.url
    page.get_by_label("Status").select_option("")
    page.get_by_label("Method").select_option("grad_eclip")
    expect(jobs.filter(has_text="fixlip")).to_have_count(0)
    jobs.get_by_role("link").last.click()
    expect(tab(page, "First order")).to_be_visible()


def test_a_failed_job_says_why(page: Page, samples: Samples) -> None:
    go(page, f"#/explanations/{samples.failed.id}")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This explanation has failed")
    expect(alert).to_contain_text("invalid_parameter")
    expect(alert).to_contain_text(re.compile("box 0 covers most of no patch", re.IGNORECASE))
    alert.get_by_role("link", name="Ask again").click()
    expect(page.get_by_label("Caption")).to_have_value(CAPTION)


def test_a_canceled_job_and_one_that_is_not_there(page: Page, witness: Witness, samples: Samples) -> None:
    witness.forgive("status of 404")
    go(page, f"#/explanations/{samples.canceled.id}")
    expect(page.get_by_text("This explanation was canceled")).to_be_visible()
    go(page, f"#/explanations/{'0' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("There is no such explanation")
    expect(page.get_by_role("alert")).to_contain_text("job_not_found")
    go(page, "#/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


def test_files_are_saved_and_are_those_of_the_api(page: Page, stack: Stack, samples: Samples) -> None:
    go(page, f"#/explanations/{samples.fixlip.id}")
    expect(tab(page, "First order")).to_be_visible()
    page.get_by_role("button", name="Downloads").click()
    for name, below in (("Values, exact (npz)", "interactions.npz"), ("Audit record (JSON)", "audit.json")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=name).click()
        answer = httpx.get(f"{stack.url}/v1/explanations/{samples.fixlip.id}/{below}", trust_env=False)
        assert saved.value.path().read_bytes() == answer.content
        assert saved.value.suggested_filename.startswith(samples.fixlip.id)


def test_a_job_is_deleted_for_good(page: Page, stack: Stack) -> None:
    with Client(stack.url) as client:
        job, _ = client.explain(image=PICTURE, caption="a thing to forget", params={"budget": 32})
    go(page, f"#/explanations/{job.id}")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Delete")).click()
    expect(page).to_have_url(re.compile("#/explanations$"))
    expect(page.get_by_text("a thing to forget")).to_have_count(0)


def test_the_theme_is_chosen_and_kept(page: Page, samples: Samples) -> None:
    go(page, f"#/explanations/{samples.fixlip.id}")
    light = background(page)
    choose_theme(page, "Dark")
    dark = background(page)
    assert dark != light
    page.reload()
    expect(tab(page, "First order")).to_be_visible()
    assert background(page) == dark
    page.emulate_media(color_scheme="dark")
    choose_theme(page, "Light")
    assert background(page) == light


def background(page: Page) -> str:
    settle(page)
    return str(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))


def choose_theme(page: Page, name: str) -> None:
    page.get_by_role("banner").get_by_text(name, exact=True).click()


def test_without_javascript_it_says_what_to_do(open_page: OpenPage) -> None:
    with open_page(java_script_enabled=False) as page:
        page.goto("/")
        expect(page.locator("noscript p")).to_contain_text("This page needs JavaScript")
        expect(page.locator("noscript a")).to_be_visible()


def test_a_link_can_be_copied(open_page: OpenPage, samples: Samples) -> None:
    with open_page(permissions=["clipboard-read", "clipboard-write"]) as page:
        go(page, f"#/explanations/{samples.fixlip.id}?view=graph")
        page.get_by_role("button", name="Copy link").click()
        page.wait_for_function("async () => (await navigator.clipboard.readText()) === location.href")
        assert json.loads(page.evaluate("() => JSON.stringify(location.hash)")).endswith("view=graph")
