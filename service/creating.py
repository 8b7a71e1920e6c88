"""Writing what was submitted: its passes are charged, and a lost answer of Redis is asked for once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from redis import RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.access.principal import Principal
from service.backend import Backend

__all__ = ["Charge", "charged", "create_surely"]

T = TypeVar("T")


@dataclass(slots=True)
class Charge:
    """Whether the tenant owes the passes: for what has come to be by this very submission."""

    is_due: bool = False


@contextmanager
def charged(backend: Backend, who: Principal, passes: int) -> Iterator[Charge]:
    """Charge the tenant with passes, and give them back unless they turn out to be due.

    Raises:
        ProblemError: 429, others have used what was left meanwhile.
        redis.RedisError: Redis did not answer.
    """
    backend.quotas.charge_submission(who, passes)
    charge = Charge()
    try:
        yield charge
    finally:
        if not charge.is_due:
            with suppress(RedisError):  # what went wrong first is what counts
                backend.quotas.refund(who, passes)


def create_surely(create: Callable[[], T | None]) -> tuple[T | None, bool]:
    """What is new, and whether it has come to be by this; a lost answer is asked for once more.

    Args:
        create: writes something, or gives None where something of its id is there already.

    Raises:
        redis.RedisError: Redis did not answer.
    """
    try:
        made = create()
    except (RedisConnectionError, RedisTimeoutError):
        return create(), True  # what has this id by now is this
    return made, made is not None
