"""When a request is tried again, and after how long."""

from __future__ import annotations

import random
from typing import Final

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_before_delay,
    wait_random_exponential,
)

from fixlip.client.errors import ServiceError, UnreachableError

__all__ = ["async_retrying", "is_passing", "jittered", "retrying"]

SHORTEST_PAUSE_S: Final = 0.25  # whatever the service asks for: 0 would be a flood
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 10.0
_JITTER: Final = 0.25
_PASSING: Final = frozenset({429, 502, 503, 504})
_IN_FLIGHT: Final = "idempotency_in_flight"

_backoff = wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S)


def retrying(for_s: float) -> Retrying:
    """What calls a function again on passing errors, as long as the next try is due within ``for_s`` seconds."""
    return Retrying(retry=retry_if_exception(is_passing), wait=_pause_s, stop=stop_before_delay(for_s), reraise=True)


def async_retrying(for_s: float) -> AsyncRetrying:
    """:func:`retrying` for coroutines."""
    return AsyncRetrying(
        retry=retry_if_exception(is_passing), wait=_pause_s, stop=stop_before_delay(for_s), reraise=True
    )


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed later, all requests being safe to repeat."""
    if isinstance(error, UnreachableError):
        return True
    return isinstance(error, ServiceError) and (error.status in _PASSING or error.code == _IN_FLIGHT)


def jittered(pause_s: float) -> float:
    """A pause that is a little longer each time, so that many clients do not come back at once."""
    return pause_s * (1 + random.uniform(0, _JITTER))


def _pause_s(state: RetryCallState) -> float:
    """What the service asks for, within reason, else twice as long each time."""
    error = state.outcome.exception() if state.outcome else None
    asked_s = error.retry_after_s if isinstance(error, ServiceError) else None
    return _backoff(state) if asked_s is None else jittered(max(asked_s, SHORTEST_PAUSE_S))
