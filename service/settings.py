"""Settings of the HTTP service, from the environment."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from fixlip_core.defaults import MAX_BUDGET_PASSES, MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_BUDGET_PASSES
from service.jobs.settings import JobSettings

__all__ = ["MAX_FIELDS_BYTES", "ServiceSettings"]

MAX_FIELDS_BYTES: Final = 512 * 1024
"""All of a request but its image: room for a label map of the largest size."""
# Beyond this, Pillow warns of every picture and in the end refuses it by its own rule.
_PILLOW_MAX_PIXELS: Final = 89_478_485


class ServiceSettings(JobSettings):
    """What the API accepts and how long it waits.

    Attributes:
        max_budget: ``FIXLIP_MAX_BUDGET``; largest budget a request may ask for, image passes. Methods without a
            budget may take twice as many passes in all.
        max_image_bytes: ``FIXLIP_MAX_IMAGE_BYTES``; longest image file.
        max_image_pixels: ``FIXLIP_MAX_IMAGE_PIXELS``; largest width * height.
        max_decodes: ``FIXLIP_MAX_DECODES``; images decoded at the same time, which bounds the memory they take.
        redis_timeout_s: ``FIXLIP_REDIS_TIMEOUT_S``; longest wait for Redis, seconds.
        log_level: ``FIXLIP_LOG_LEVEL``.
    """

    max_budget: Annotated[int, Field(ge=MIN_BUDGET_PASSES, le=MAX_BUDGET_PASSES)] = MAX_BUDGET_PASSES
    max_image_bytes: Annotated[int, Field(ge=1)] = MAX_IMAGE_BYTES
    max_image_pixels: Annotated[int, Field(ge=1, le=_PILLOW_MAX_PIXELS)] = MAX_IMAGE_PIXELS
    max_decodes: Annotated[int, Field(ge=1)] = 2
    redis_timeout_s: Annotated[float, Field(gt=0)] = 2.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def max_body_bytes(self) -> int:
        """Longest request body: the longest image in base64, and the other fields."""
        return 4 * -(-self.max_image_bytes // 3) + MAX_FIELDS_BYTES
