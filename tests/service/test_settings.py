from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.settings import ServiceSettings


def test_the_operators_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIXLIP_MAX_BUDGET", "256")
    monkeypatch.setenv("FIXLIP_MAX_IMAGE_BYTES", "1000")
    monkeypatch.setenv("REDIS_URL", "redis://redis:6379/1")

    settings = ServiceSettings()

    assert (settings.max_budget, settings.max_image_bytes) == (256, 1000)
    assert settings.redis_url == "redis://redis:6379/1"


def test_a_body_may_hold_the_longest_image_in_base64_and_a_label_map() -> None:
    settings = ServiceSettings(max_image_bytes=20_000_000)

    assert 4 * 20_000_000 / 3 + 256 * 256 * 6 < settings.max_body_bytes < 4 * 20_000_000 / 3 + 1_000_000


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_budget", 7), ("max_image_pixels", 10**9), ("redis_timeout_s", 0), ("log_level", "loud"), ("max_decodes", 0)],
)
def test_limits_out_of_range_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        ServiceSettings.model_validate({field: value})
