"""One real service for all tests here, a browser for each module, for each test a context that tells every misdeed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.samples import Samples, make_samples
from tests.browser.stack import Stack, running_stack
from tests.support.browser import Witness, chromium, open_context

ROOT = Path(__file__).parents[2]

OpenPage: TypeAlias = Callable[..., AbstractContextManager[Page]]
"""``open_page(**options)``: a page of a new context with these options of Playwright's, judged when the block ends."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; not for the session, for as long as it is there no test can run an event loop of its own."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running service."""
    with running_stack(tmp_path_factory.mktemp("browser")) as stack:
        yield stack


@pytest.fixture(scope="session")
def samples(stack: Stack) -> Samples:
    """Jobs of the service."""
    return make_samples(stack.url)


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[tuple[BrowserContext, Witness]]:
    """A context of the service's origin, and the witness of what its pages do."""
    with open_context(browser, stack.url) as opened:
        yield opened


@pytest.fixture
def witness(visit: tuple[BrowserContext, Witness]) -> Witness:
    """The witness of :func:`page`."""
    return visit[1]


@pytest.fixture
def page(visit: tuple[BrowserContext, Witness]) -> Page:
    """An empty page of the service's origin."""
    return visit[0].new_page()


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> OpenPage:
    """Open pages of contexts with other options."""

    @contextmanager
    def open_it(**options: Any) -> Iterator[Page]:
        with open_context(browser, stack.url, **options) as (context, _):
            yield context.new_page()

    return open_it


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures of every view are kept."""
    folder = Path(os.environ.get("FIXLIP_SCREENSHOTS") or ROOT / "out" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
