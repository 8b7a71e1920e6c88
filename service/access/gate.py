"""Who a request comes from, or why it is not let in."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Literal

import structlog
from redis import RedisError
from starlette.concurrency import run_in_threadpool

from service.access._memory import Memory
from service.access.keys import ApiKey, KeyStore, parse_key
from service.access.principal import ANYONE, Principal, Scope
from service.problems import FieldError, ProblemError

__all__ = ["AuthMode", "Gate", "require_scope"]

AuthMode = Literal["auto", "keys", "none"]
"""``keys``: every request needs one. ``none``: nobody does. ``auto``: ``keys`` once there is one; until then, whoever
is on this machine needs none, and nobody else is let in."""

_ANY: Final = "any"
_CHALLENGE: Final = "Bearer"
_FIELD: Final = "Authorization"
_log = structlog.get_logger(__name__)


class Gate:
    """Tells principals by their keys.

    Args:
        mode: who needs a key.
        keys: the keys there are.
    """

    def __init__(self, mode: AuthMode, keys: KeyStore) -> None:
        self._mode = mode
        self._keys = keys
        self._known: Memory[ApiKey] = Memory()
        self._exist: Memory[bool] = Memory()

    async def admit(self, token: str | None, *, is_local: bool) -> Principal:
        """Who asks.

        Args:
            token: the key that came with the request.
            is_local: whether the request was made on this machine; a request with a key need not say.

        Raises:
            ProblemError: 401, there is no key or one that is not good; 403, there are no keys at all, and the request
                comes from elsewhere.
            redis.RedisError: Redis does not answer, so that nothing is known of keys.
        """
        if self._mode == "none":
            return ANYONE
        if token is not None:
            return await self._bearer(token)
        if self._mode == "keys" or await self._any_exist():
            raise _unauthenticated("the request has no API key; send `Authorization: Bearer fxl_...`")
        if not is_local:
            raise _keys_required()
        return ANYONE

    def announce(self) -> None:
        """Log who will be let in."""
        try:
            exist = self._mode != "none" and self._keys.any_exist()
        except RedisError as error:
            _log.warning("access_unknown", auth=self._mode, error=str(error))
            return
        if self._mode == "none":
            _log.warning(
                "access_open", auth=self._mode, detail="FIXLIP_AUTH=none: whoever reaches the service may use it"
            )
        elif self._mode == "auto" and not exist:
            _log.warning(
                "access_loopback_only",
                auth=self._mode,
                detail="no API keys: only requests of this machine are answered; `fixlip keys create` makes a key",
            )
        else:
            _log.info("access_by_key", auth=self._mode, keys_exist=exist)

    async def _any_exist(self) -> bool:
        known = self._exist.recall(_ANY)
        if known is None:
            known = await run_in_threadpool(self._keys.any_exist)
            self._exist.keep(_ANY, known)
        return known

    async def _bearer(self, token: str) -> Principal:
        parsed = parse_key(token)
        if parsed is None:
            raise _unauthenticated("the API key is not of the form fxl_..._...", is_invalid=True)
        id_, secret = parsed
        key = self._known.recall(id_) or await run_in_threadpool(self._find, id_, secret)
        if key is None or not key.is_of(secret):
            raise _unauthenticated("there is no such API key", is_invalid=True)
        if key.state != "active":
            raise _unauthenticated(f"the API key {key.id} is {key.state}", is_invalid=True)
        return Principal(key.tenant, key.scopes, key.id)

    def _find(self, key_id: str, secret: str) -> ApiKey | None:
        """The key, if this is its secret; what comes with a wrong one is never remembered."""
        key = self._keys.find(key_id)
        if key is None or not key.is_of(secret):
            return None
        if key.state == "active":
            with suppress(RedisError):  # a Redis that takes no writes can still tell who may read
                self._keys.note_use(key)
        self._known.keep(key_id, key)
        return key


def require_scope(who: Principal, scope: Scope) -> None:
    """Raise unless ``who`` may do what the scope allows.

    Raises:
        ProblemError: 403.
    """
    if scope in who.scopes:
        return
    message = f"the API key has no scope `{scope}`, which this operation needs"
    challenge = f'{_CHALLENGE} error="insufficient_scope", scope="{scope}"'
    errors = [FieldError(field=_FIELD, code="missing_scope", message=message)]
    raise ProblemError(403, "missing_scope", message, errors=errors, headers={"WWW-Authenticate": challenge})


def _unauthenticated(message: str, *, is_invalid: bool = False) -> ProblemError:
    challenge = f'{_CHALLENGE} error="invalid_token"' if is_invalid else _CHALLENGE
    errors = [FieldError(field=_FIELD, code="unauthenticated", message=message)]
    return ProblemError(401, "unauthenticated", message, errors=errors, headers={"WWW-Authenticate": challenge})


def _keys_required() -> ProblemError:
    return ProblemError(
        403,
        "keys_required",
        "there are no API keys, so that only requests of the service's own machine are answered; its operator can make "
        "keys with `fixlip keys create`, or let everybody in with FIXLIP_AUTH=none",
    )
