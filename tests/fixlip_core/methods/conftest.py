"""Fixtures of the methods' tests."""

from __future__ import annotations

import pytest

from tests.fixlip_core.methods.pairs import FAMILIES, Subject, make


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A small CLIP with its encoder."""
    return make("clip", tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session", params=FAMILIES)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A small model of each family with its encoder."""
    return make(request.param, tmp_path_factory.mktemp(request.param))
