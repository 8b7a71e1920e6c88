"""Whether a job, or a batch, may have the webhook that its request asks for."""

from __future__ import annotations

from typing import Final

from fixlip_core.errors import InputError
from service.access.principal import Principal
from service.backend import Backend
from service.jobs.records import JobWebhook
from service.outbound.destinations import Destination
from service.outbound.errors import OutboundError
from service.requests import WebhookRequest

__all__ = ["webhook_of"]

_FIELD: Final = "webhook.url"


def webhook_of(backend: Backend, who: Principal, asked: WebhookRequest | None) -> JobWebhook | None:
    """The webhook of what is to be; None where none is asked for. Its host is looked up when there is something to say.

    Raises:
        InputError: its URL is none that may be called, or the tenant has no secret to sign with.
        redis.RedisError: Redis did not answer.
    """
    if asked is None:
        return None
    url = asked.url
    try:
        backend.settings.trust.check(Destination.parse(url))
    except OutboundError as error:
        raise InputError(str(error), field=_FIELD, code="webhook_url_invalid") from error
    if not backend.webhook_secrets.exist(who.tenant):
        message = "there is no secret to sign messages with; make one with POST /v1/webhook-secrets first"
        raise InputError(message, field="webhook", code="webhook_secret_missing")
    return JobWebhook(url=url)
