"""How fast the workers are, as they say with every sign of life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from redis import Redis

from service.jobs._keys import Keys, text

__all__ = ["Pace", "Rates"]

_REMEMBERED_FOR_S: Final = 7 * 24 * 3600


class Pace(BaseModel):
    """How fast a worker is. Passes are those that jobs were expected to take, which is how the queue is counted.

    Attributes:
        models: ids of the models that it serves.
        slots: jobs that it runs at once.
        passes_per_s: of all its jobs together, from the beginning of the first to the end of the last; None: unknown.
        device_passes_per_s: the same, while any of its jobs is at its passes.
        tail_s: seconds that the last jobs took after their passes, to be solved, drawn and stored; their median.
        tail_s_of: the same, by method.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    models: tuple[str, ...] = ()
    slots: int = Field(ge=1)
    passes_per_s: float | None = Field(default=None, gt=0)
    device_passes_per_s: float | None = Field(default=None, gt=0)
    tail_s: float = Field(default=0.0, ge=0)
    tail_s_of: Mapping[str, float] = Field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether it has been measured."""
        return self.passes_per_s is not None and self.device_passes_per_s is not None

    def or_like(self, other: Pace) -> Pace:
        """This, or what is unknown of it as with ``other``."""
        measured = {"passes_per_s", "device_passes_per_s", "tail_s", "tail_s_of"}
        return self if self.is_known else self.model_copy(update=other.model_dump(include=measured))


class Rates:
    """The paces of all workers alive. Every method may raise ``redis.RedisError``."""

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)

    def report(self, worker_id: str, pace: Pace, *, ttl_s: float) -> None:
        """Say how fast a worker is, for ``ttl_s`` seconds; it is asked for while the catalogue has the worker, too.

        What is known of the last worker is remembered, for those that have not worked yet.
        """
        data = pace.model_dump_json()
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(self._keys.pace(worker_id), data, px=max(1, int(1000 * ttl_s)))
            if pace.is_known:
                pipe.set(self._keys.last_pace, data, ex=_REMEMBERED_FOR_S)
            pipe.execute()

    def live(self, *, now: float) -> list[Pace]:
        """The paces of the workers alive at ``now``, by Redis's clock in seconds since 1970.

        One that is not known yet is taken to be like the last that was; what another version of this program has
        written, and cannot be read, is left out.
        """
        workers = self._redis.zrangebyscore(self._keys.workers, f"({now}", "+inf")
        keys = [self._keys.pace(text(worker_id)) for worker_id in workers]
        last, *said = self._redis.mget(self._keys.last_pace, *keys)
        paces = [pace for pace in map(_pace_in, said) if pace is not None]
        like = _pace_in(last)
        return paces if like is None else [pace.or_like(like) for pace in paces]


def _pace_in(data: bytes | str | None) -> Pace | None:
    """The pace in what Redis gave, if it is one."""
    try:
        return Pace.model_validate_json(data) if data else None
    except ValueError:
        return None
