"""The page outlives what it talks to: a network that goes away, an API that starts again, one that wants a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fixlip.client import Client
from tests.browser.accessibility import find_barriers
from tests.browser.samples import CAPTION, PICTURE
from tests.browser.stack import Stack
from tests.browser.viewer import tab
from tests.browser.views import go
from tests.support.browser import Witness, open_context
from tests.support.fake_worker import fake_worker
from tests.support.processes import fixlip, serving, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOST = r"ERR_(INTERNET_DISCONNECTED|CONNECTION_\w+|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|NETWORK_CHANGED)"


@pytest.fixture
def long_job(stack: Stack) -> Iterator[str]:
    """Id of a job that runs for as long as a test does."""
    with Client(stack.url) as client:
        job = client.submit(image=PICTURE, caption=CAPTION, params={"budget": 16_384}, cache="bypass")
        wait_until(lambda: client.get(job).progress.completed > 0)
        yield job.id
        if not client.get(job).is_final:
            client.cancel(job)


def completed(page: Page) -> float:
    return float(page.get_by_role("progressbar").get_attribute("value") or 0)


def expect_progress(page: Page) -> None:
    page.wait_for_function("before => document.querySelector('progress')?.value > before", arg=completed(page))


def test_a_lost_connection_comes_back(
    visit: tuple[BrowserContext, Witness], page: Page, witness: Witness, long_job: str
) -> None:
    witness.forgive(LOST)
    go(page, f"#/explanations/{long_job}")
    expect_progress(page)
    visit[0].set_offline(True)
    expect(page.get_by_text("Connection lost, trying again")).to_be_visible()
    visit[0].set_offline(False)
    expect(page.get_by_text("Connection lost, trying again")).to_have_count(0)
    expect_progress(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This explanation was canceled")).to_be_visible()


def test_a_restarted_api_is_found_again(page: Page, witness: Witness, stack: Stack, long_job: str) -> None:
    witness.forgive(LOST)
    go(page, f"#/explanations/{long_job}")
    expect_progress(page)
    stack.api.kill()
    expect(page.get_by_text("Connection lost, trying again")).to_be_visible()
    stack.api.start()
    stack.wait_until_it_answers()
    expect(page.get_by_text("Connection lost, trying again")).to_have_count(0)
    expect_progress(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This explanation was canceled")).to_be_visible()


def test_a_key_is_asked_for_and_kept_to_oneself(
    browser: Browser, stack: Stack, tmp_path: Path, screenshots: Path
) -> None:
    own: dict[str, Any] = {"FIXLIP_KEY_PREFIX": "keyed", "FIXLIP_QUEUE": "keyed"}
    key = fixlip("keys", "create", "--tenant", "me", REDIS_URL=stack.redis_url, **own).stdout.strip()
    with (
        serving(stack.redis_url, tmp_path, **own) as url,
        fake_worker(stack.redis_url, tmp_path, **own),
        open_context(browser, url) as (context, witness),
    ):
        witness.forgive(r"status of 401")
        page = context.new_page()
        page.goto("/#/explanations")
        dialog = page.get_by_role("dialog", name=re.compile("key"))
        dialog.get_by_label("API key").fill("fxl_wrong")
        dialog.get_by_role("button", name="Use this key").click()
        expect(dialog.get_by_label("API key")).to_have_attribute("aria-invalid", "true")
        assert find_barriers(page) == []
        page.screenshot(path=screenshots / "key-1280-light.png")
        dialog.get_by_label("API key").fill(key)
        dialog.get_by_role("button", name="Use this key").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_text("No explanations yet")).to_be_visible()
        with Client(url, api_key=key) as client:
            wait_until(lambda: bool(client.models()))
            job, _ = client.explain(image=PICTURE, caption=CAPTION, params={"budget": 64})
        go(page, f"#/explanations/{job.id}")
        expect(tab(page, "First order")).to_be_visible()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Report", exact=True).click()
        assert b"<title>" in saved.value.path().read_bytes()
        page.reload()
        expect(tab(page, "First order")).to_be_visible()
        assert key not in page.url
        assert page.evaluate("() => localStorage.length + document.cookie.length") == 0
        page.get_by_role("button", name="Forget it").click()
        page.reload()
        expect(dialog).to_be_visible()
