"""The front end's folder, with the packages that its sources need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.node import link_packages

WEB = Path(__file__).parents[2] / "web"


@pytest.fixture(scope="session")
def web() -> Path:
    """``web/``, in which programs of Node.js run."""
    link_packages(WEB)
    return WEB
