"""Fixtures of the library's tests."""

from __future__ import annotations

import pytest

import fixlip_core as fx


@pytest.fixture(scope="session")
def demo() -> fx.DualEncoder:
    """The packaged demo encoder."""
    return fx.load_encoder("demo")
