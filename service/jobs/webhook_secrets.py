"""The secrets with which the messages of a tenant are signed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic_core import from_json
from redis import Redis

from service.jobs._keys import Keys
from service.jobs.errors import TooManyWebhookSecretsError, WebhookSecretNotFoundError
from service.jobs.records import utc_now

__all__ = ["MAX_SECRETS", "WebhookSecret", "WebhookSecrets"]

MAX_SECRETS: Final = 3
"""Of a tenant: one in use, one that takes its place, one to spare."""
_SECRET_BYTES: Final = 32

_ADD: Final = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
    return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""


class WebhookSecret(BaseModel):
    """A secret. It must be known to sign, so it cannot be kept as a digest alone."""

    model_config = ConfigDict(frozen=True)

    id: str
    secret: str
    created_at: AwareDatetime


class WebhookSecrets:
    """Each tenant's secrets: all of them sign, so that receivers can change from one to the next.

    Every method may raise ``redis.RedisError`` when Redis does not answer.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)
        self._add = redis.register_script(_ADD)

    def create(self, tenant: str) -> WebhookSecret:
        """A new secret.

        Raises:
            TooManyWebhookSecretsError: there are as many as there may be.
        """
        key = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        made = WebhookSecret(id=f"whs_{secrets.token_hex(12)}", secret=f"whsec_{key}", created_at=utc_now())
        arguments: list[str | int] = [made.id, made.model_dump_json(), MAX_SECRETS]
        if not self._add(keys=[self._keys.webhook_secrets_of(tenant)], args=arguments):
            raise TooManyWebhookSecretsError(MAX_SECRETS)
        return made

    def all_of(self, tenant: str) -> list[WebhookSecret]:
        """The tenant's secrets, the newest first."""
        stored: Mapping[Any, Any] = self._redis.hgetall(self._keys.webhook_secrets_of(tenant))
        found = [WebhookSecret.model_validate(from_json(value)) for value in stored.values()]
        return sorted(found, key=_age, reverse=True)

    def exist(self, tenant: str) -> bool:
        """Whether the tenant has a secret."""
        return bool(self._redis.exists(self._keys.webhook_secrets_of(tenant)))

    def delete(self, tenant: str, secret_id: str) -> None:
        """Sign with it no more.

        Raises:
            WebhookSecretNotFoundError: the tenant has no such secret.
        """
        if not self._redis.hdel(self._keys.webhook_secrets_of(tenant), secret_id):
            raise WebhookSecretNotFoundError(secret_id)


def _age(secret: WebhookSecret) -> tuple[datetime, str]:
    return secret.created_at, secret.id
