"""How webhooks are delivered, from the environment."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from service.outbound.settings import OutboundSettings, split_list

__all__ = ["WebhookSettings"]

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_Delay = Annotated[float, Field(ge=0)]


class WebhookSettings(OutboundSettings):
    """How webhooks are delivered.

    Attributes:
        webhook_timeout_s: ``FIXLIP_WEBHOOK_TIMEOUT_S``; how long a receiver may take to answer, seconds.
        webhook_retries_s: ``FIXLIP_WEBHOOK_RETRIES_S``; pauses after failed attempts, seconds, separated by commas;
            after the last of them comes the last attempt.
        webhook_concurrency: ``FIXLIP_WEBHOOK_CONCURRENCY``; messages that are on their way at once.
    """

    webhook_timeout_s: Annotated[float, Field(gt=0)] = 15.0
    webhook_retries_s: Annotated[tuple[_Delay, ...], NoDecode] = (
        5,
        30,
        2 * _MINUTE_S,
        10 * _MINUTE_S,
        30 * _MINUTE_S,
        2 * _HOUR_S,
        5 * _HOUR_S,
        10 * _HOUR_S,
    )
    webhook_concurrency: Annotated[int, Field(ge=1)] = 32

    @field_validator("webhook_retries_s", mode="before")
    @classmethod
    def _split_retries(cls, value: object) -> object:
        return split_list(value)
