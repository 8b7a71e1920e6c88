"""A service for the command line and the client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.service import running_service


@pytest.fixture(scope="session")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a service with the fake model."""
    with running_service(tmp_path_factory.mktemp("service")) as service:
        yield service.url
