"""API keys: made, kept as digests, found, and revoked."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from redis import Redis

from service.access.principal import Scope, TenantName
from service.jobs.records import utc_now

__all__ = ["MAX_NAME_LENGTH", "ApiKey", "KeyStore", "parse_key"]

MAX_NAME_LENGTH: Final = 100
_KEY: Final = re.compile(r"fxl_(?P<id>[0-9a-f]{12})_(?P<secret>[0-9a-f]{64})")
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_NOTED_EVERY_S: Final = 60.0


class ApiKey(BaseModel):
    """What is known of a key: all but its secret.

    Attributes:
        id: the part of it that may be told.
        tenant: whose requests those are that bear it.
        scopes: what they may do.
        name: what its owner calls it.
        digest: SHA-256 of its secret, hex. A slow hash protects secrets that people choose and that can be guessed; of
            256 random bits there is nothing to guess, and each request would pay for it.
        created_at: when it was made.
        expires_at: from when on it is refused; None: never.
        revoked_at: since when it is refused; None: it is not.
        last_used_at: when it was last accepted, within a minute or so; None: never.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    tenant: TenantName
    scopes: frozenset[Scope] = Field(min_length=1)
    name: str = Field(default="", max_length=MAX_NAME_LENGTH)
    digest: str
    created_at: AwareDatetime = Field(default_factory=utc_now)
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = None

    def is_of(self, secret: str) -> bool:
        """Whether the secret is this key's; takes as long for one that is nearly right as for any other."""
        return hmac.compare_digest(self.digest, _digest(secret))

    @property
    def state(self) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= utc_now() else "active"


def parse_key(token: str) -> tuple[str, str] | None:
    """Id and secret of a key as its bearer shows it; None where it cannot be one."""
    found = _KEY.fullmatch(token)
    return (found["id"], found["secret"]) if found else None


class KeyStore:
    """The keys of all tenants, in Redis. Every method may raise ``redis.RedisError``.

    A revoked key stays on the list. So a service that once had keys never falls back to having none.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = f"{key_prefix}:keys"
        self._used = f"{key_prefix}:keys:used"
        self._noted_s: dict[str, float] = {}

    def create(
        self, tenant: str, scopes: Collection[Scope], *, name: str = "", expires_in_days: int | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key.

        Returns:
            It, and what its bearer shows, which is known to nobody from then on.

        Raises:
            pydantic.ValidationError: the tenant's or the key's name cannot be one, or there is no scope.
        """
        id_, secret = secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES)
        expires_at = utc_now() + timedelta(days=expires_in_days) if expires_in_days is not None else None
        key = ApiKey(
            id=id_, tenant=tenant, scopes=frozenset(scopes), name=name, digest=_digest(secret), expires_at=expires_at
        )
        self._write(key)
        return key, f"fxl_{id_}_{secret}"

    def any_exist(self) -> bool:
        """Whether a key was ever made."""
        return bool(self._redis.exists(self._keys))

    def find(self, key_id: str) -> ApiKey | None:
        """A key, if there is one of this id, whatever its state."""
        stored = self._redis.hget(self._keys, key_id)
        return ApiKey.model_validate_json(stored) if stored else None

    def all(self) -> list[ApiKey]:
        """Every key, by tenant and age, with its last use."""
        used = self._redis.hgetall(self._used)
        keys = []
        for id_, stored in self._redis.hgetall(self._keys).items():
            key = ApiKey.model_validate_json(stored)
            last = datetime.fromtimestamp(float(used[id_]), UTC) if id_ in used else None
            keys.append(key.model_copy(update={"last_used_at": last}))
        return sorted(keys, key=lambda key: (key.tenant, key.created_at))

    def note_use(self, key: ApiKey) -> None:
        """Note that a key was accepted now; once a minute is often enough."""
        now_s = time.monotonic()
        if now_s >= self._noted_s.get(key.id, now_s):
            self._noted_s[key.id] = now_s + _NOTED_EVERY_S
            self._redis.hset(self._used, key.id, str(utc_now().timestamp()))

    def revoke(self, key_id: str) -> ApiKey | None:
        """Have a key refused, within seconds, for ever.

        Returns:
            The key as it now stands; None where there is none of this id.
        """
        key = self.find(key_id)
        if key is None or key.revoked_at is not None:
            return key
        revoked = key.model_copy(update={"revoked_at": utc_now()})
        self._write(revoked)
        return revoked

    def _write(self, key: ApiKey) -> None:
        self._redis.hset(self._keys, key.id, key.model_dump_json(exclude={"last_used_at"}))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
