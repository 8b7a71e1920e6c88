"""A headless Chromium for tests, and a witness of everything that a page must not do."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright

__all__ = ["Witness", "chromium", "find_chromium", "open_context", "settle"]

WAIT_MS: Final = 20_000
_REPORTS_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def find_chromium() -> str:
    """Path of this machine's Chromium; the test fails where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.fail("no Chromium here: apt-get install chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, until the block ends."""
    arguments = ["--disable-gpu", "--disable-dev-shm-usage", *(["--no-sandbox"] if os.getuid() == 0 else [])]
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Witness:
    """What a context's pages did that no page may do.

    Attributes:
        origin: whom alone they may ask; empty: nobody.
        forgiven: patterns of what the console may say: a browser logs every answer of 400 and more as an error.
        charges: what was seen.
    """

    origin: str
    forgiven: list[str] = field(default_factory=list)
    charges: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.add_init_script(_REPORTS_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.charges.append(f"uncaught: {error.error}"))
        context.on("request", self._see)
        context.on("dialog", self._refuse)

    def forgive(self, *patterns: str) -> None:
        """Let the console say what matches one of these."""
        self.forgiven += patterns

    def acquit(self) -> None:
        """Fail if there are charges."""
        unforgiven = [charge for charge in self.charges if not any(re.search(each, charge) for each in self.forgiven)]
        assert unforgiven == []

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.charges.append(f"console {message.type}: {message.text} at {message.location.get('url')}")

    def _refuse(self, dialog: Dialog) -> None:
        self.charges.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _see(self, request: Request) -> None:
        allowed = ("data:", f"blob:{self.origin}/", f"{self.origin}/") if self.origin else ("data:", "file:", "blob:")
        if not request.url.startswith(allowed):
            self.charges.append(f"request: {request.url}")


@contextmanager
def open_context(browser: Browser, origin: str, **options: Any) -> Iterator[tuple[BrowserContext, Witness]]:
    """A context of its own for a test: no cookies, no storage; what its pages did is judged when the block ends well.

    Args:
        browser: which browser.
        origin: base URL of its pages, and the only place they may ask; empty for pages from disk.
        options: of Playwright's ``new_context``.
    """
    witness = Witness(origin)
    settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
    context = browser.new_context(base_url=f"{origin}/" if origin else None, **settings)
    context.set_default_timeout(WAIT_MS)
    witness.watch(context)
    try:
        yield context, witness
        witness.acquit()
    finally:
        context.close()


def settle(page: Page) -> None:
    """Until two frames have been painted."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
