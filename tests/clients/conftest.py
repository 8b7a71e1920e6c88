"""A service with keys, for clients in any language."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.support.jobs import png
from tests.support.processes import wait_until
from tests.support.service import Service, new_key, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the fake model, whose webhooks may stay on this machine."""
    with running_service(tmp_path_factory.mktemp("service"), FIXLIP_OUTBOUND_ALLOW="127.0.0.1") as service:
        yield service


@pytest.fixture(scope="session")
def environment(service: Service) -> dict[str, str]:
    """What the recipes read: where the service is, and a key that may do everything."""
    key = new_key(service, "submit", "read", "admin")
    wait_until(lambda: httpx.get(f"{service.url}/v1/models").status_code == 401)
    return {"FIXLIP_URL": service.url, "FIXLIP_API_KEY": key}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture where the recipes look for one."""
    path = tmp_path / "photo.jpg"
    Image.open(io.BytesIO(png())).save(path, format="JPEG")
    return path
