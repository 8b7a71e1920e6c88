from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from service.app import create_app
from service.settings import ServiceSettings

PAGE = "https://app.example.com"
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key"}

Open = Callable[[str], TestClient]


@pytest.fixture
def open_to(settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch) -> Open:
    """A client of the service with these origins in its environment."""

    def open_to(origins: str) -> TestClient:
        monkeypatch.setenv("FIXLIP_CORS_ORIGINS", origins)
        monkeypatch.setenv("REDIS_URL", settings.redis_url)
        monkeypatch.setenv("FIXLIP_DATA_DIR", str(settings.data_dir))
        return TestClient(create_app())

    return open_to


def test_a_page_that_is_named_may_ask_and_read(open_to: Open) -> None:
    client = open_to(f"http://localhost:3000, {PAGE}")

    preflight = client.options("/v1/explanations", headers={"Origin": PAGE, **ASKED})
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
    assert {"DELETE", "GET", "POST"} <= set(preflight.headers["Access-Control-Allow-Methods"].split(", "))

    error = client.get("/nowhere", headers={"Origin": PAGE})
    assert error.status_code == 404
    assert error.headers["Access-Control-Allow-Origin"] == PAGE
    shown = set(error.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Location", "Preference-Applied", "RateLimit", "Retry-After", "X-Request-Id"} <= shown
    assert "Access-Control-Allow-Credentials" not in error.headers


@pytest.mark.parametrize("origins", ["", PAGE])
def test_other_pages_may_not(open_to: Open, origins: str) -> None:
    client, stranger = open_to(origins), {"Origin": "https://example.net"}

    assert "Access-Control-Allow-Origin" not in client.get("/livez", headers=stranger).headers
    assert not client.options("/v1/explanations", headers={**stranger, **ASKED}).is_success


def test_a_star_lets_all_pages_read(open_to: Open) -> None:
    assert open_to("*").get("/livez", headers={"Origin": PAGE}).headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "origin", ["app.example.com", f"{PAGE}/", "ftp://example.com", "null", "https://*.example.com"]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError):
        ServiceSettings.model_validate({"cors_origins": origin})
