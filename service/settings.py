"""Settings of the HTTP service, from the environment."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from fixlip_core.defaults import MAX_BUDGET_PASSES, MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_BUDGET_PASSES
from service.access.gate import AuthMode
from service.outbound.settings import OutboundSettings, split_list
from service.outbound.trust import HostList

__all__ = ["MAX_FIELDS_BYTES", "ServiceSettings"]

MAX_FIELDS_BYTES: Final = 512 * 1024
"""All of a request but its image: room for a label map of the largest size."""
# Beyond this, Pillow warns of every picture and in the end refuses it by its own rule.
_PILLOW_MAX_PIXELS: Final = 89_478_485

Origin = Annotated[str, Field(pattern=r"^(\*|https?://[A-Za-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?)$")]
"""Of a web page: scheme, host and port, or ``*``."""


class ServiceSettings(OutboundSettings):
    """What the API accepts and how long it waits.

    Attributes:
        max_budget: ``FIXLIP_MAX_BUDGET``; largest budget a request may ask for, image passes. Methods without a
            budget may take twice as many passes in all, and so may each metric of an evaluation.
        max_image_bytes: ``FIXLIP_MAX_IMAGE_BYTES``; longest image file.
        max_image_pixels: ``FIXLIP_MAX_IMAGE_PIXELS``; largest width * height.
        max_batch_items: ``FIXLIP_MAX_BATCH_ITEMS``; explanations that a batch may ask for.
        max_batch_bytes: ``FIXLIP_MAX_BATCH_BYTES``; longest request that submits a batch.
        max_decodes: ``FIXLIP_MAX_DECODES``; images decoded at the same time, which bounds the memory they take.
        max_queued_passes: ``FIXLIP_MAX_QUEUED_PASSES``; forward passes that may wait before submissions are refused. By
            default as many as a worker of 115 passes a second makes in a day, for so long jobs may wait.
        redis_timeout_s: ``FIXLIP_REDIS_TIMEOUT_S``; longest wait for Redis, seconds.
        image_hosts: ``FIXLIP_IMAGE_HOSTS``; hosts that images may be fetched from (``images.example.com``,
            ``*.example.com``), separated by commas. None by default: a request's ``image_url`` is refused.
        image_url_timeout_s: ``FIXLIP_IMAGE_URL_TIMEOUT_S``; how long fetching an image may take in all, seconds.
        max_streams: ``FIXLIP_MAX_STREAMS``; streams of events open at the same time.
        cors_origins: ``FIXLIP_CORS_ORIGINS``; origins of web pages that may read the answers, such as
            ``https://app.example.com``, separated by commas; ``*`` is any. None by default.
        auth: ``FIXLIP_AUTH``; who needs an API key. ``auto``: once there is one, everybody; until then, requests of
            this machine need none, and no others are answered. ``keys``: everybody. ``none``: nobody.
        quota_requests_per_min: ``FIXLIP_QUOTA_REQUESTS_PER_MIN``; a tenant's requests within a minute. Of this and the
            other quotas, 0 is no limit, and ``fixlip keys quota`` sets those of one tenant.
        quota_queued_jobs: ``FIXLIP_QUOTA_QUEUED_JOBS``; a tenant's jobs that wait at the same time.
        quota_passes_per_day: ``FIXLIP_QUOTA_PASSES_PER_DAY``; forward passes of the jobs a tenant submits within a day.
        quota_stored_bytes: ``FIXLIP_QUOTA_STORED_BYTES``; bytes that are kept for a tenant.
    """

    max_budget: Annotated[int, Field(ge=MIN_BUDGET_PASSES, le=MAX_BUDGET_PASSES)] = MAX_BUDGET_PASSES
    max_image_bytes: Annotated[int, Field(ge=1)] = MAX_IMAGE_BYTES
    max_image_pixels: Annotated[int, Field(ge=1, le=_PILLOW_MAX_PIXELS)] = MAX_IMAGE_PIXELS
    max_batch_items: Annotated[int, Field(ge=1)] = 10_000
    max_batch_bytes: Annotated[int, Field(ge=1)] = 256_000_000
    max_decodes: Annotated[int, Field(ge=1)] = 2
    max_queued_passes: Annotated[int, Field(ge=1)] = 10_000_000
    redis_timeout_s: Annotated[float, Field(gt=0)] = 2.0
    image_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    image_url_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    max_streams: Annotated[int, Field(ge=1)] = 1000
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    auth: AuthMode = "auto"
    quota_requests_per_min: Annotated[int, Field(ge=0)] = 0
    quota_queued_jobs: Annotated[int, Field(ge=0)] = 0
    quota_passes_per_day: Annotated[int, Field(ge=0)] = 0
    quota_stored_bytes: Annotated[int, Field(ge=0)] = 0

    @field_validator("cors_origins", "image_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_list(value)

    @field_validator("image_hosts")
    @classmethod
    def _check_hosts(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return HostList.of(patterns).patterns

    @property
    def max_body_bytes(self) -> int:
        """Longest request body: the longest image in base64, and the other fields."""
        return 4 * -(-self.max_image_bytes // 3) + MAX_FIELDS_BYTES
