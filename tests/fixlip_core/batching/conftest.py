"""Fixtures of the batcher's tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixlip_core.batching import Batcher


@pytest.fixture
def batcher() -> Iterator[Batcher]:
    """A batcher that is running."""
    with Batcher() as running:
        yield running


@pytest.fixture
def jobs() -> Iterator[ThreadPoolExecutor]:
    """Threads of jobs. It comes after the batcher in a test's arguments, so that it is left first."""
    with ThreadPoolExecutor(64) as pool:
        yield pool
