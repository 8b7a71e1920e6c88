"""The models that workers serve, and which workers are alive, as the workers announced them in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json
from redis import Redis

from fixlip_core.encoders.card import ModelCard
from service.jobs._keys import Keys

__all__ = ["Catalogue"]


class Catalogue:
    """Model cards, which stay, and workers, whose announcements lapse.

    Redis's own clock decides what has lapsed, so the hosts' clocks need not agree. Every method may raise
    ``redis.RedisError`` when Redis does not answer.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)

    def announce(self, card: Mapping[str, Any], worker_id: str, *, ttl_s: float) -> None:
        """Say that a worker serves the model of ``card``, a :meth:`ModelCard.to_dict`, for ``ttl_s`` seconds."""
        model_id = str(card["id"])
        now = self._now()
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._keys.models, model_id, to_json(dict(card)))
            for key in (self._keys.workers, self._keys.workers_of(model_id)):
                pipe.zremrangebyscore(key, "-inf", now)
                pipe.zadd(key, {worker_id: now + ttl_s})
            pipe.execute()

    def withdraw(self, worker_id: str) -> None:
        """Say that a worker has gone, at once."""
        models = [id_.decode() if isinstance(id_, bytes) else id_ for id_ in self._redis.hkeys(self._keys.models)]
        with self._redis.pipeline(transaction=True) as pipe:
            for key in (self._keys.workers, *(self._keys.workers_of(model_id) for model_id in models)):
                pipe.zrem(key, worker_id)
            pipe.execute()

    def cards(self) -> dict[str, ModelCard]:
        """Model cards by id, sorted; those of models whose workers have left are there too."""
        values = self._redis.hgetall(self._keys.models).values()
        cards = [ModelCard.from_dict(from_json(text)) for text in values]
        return {card.id: card for card in sorted(cards, key=lambda card: card.id)}

    def live_workers(self, model_id: str | None = None) -> int:
        """Number of workers alive, or of those that serve one model."""
        key = self._keys.workers if model_id is None else self._keys.workers_of(model_id)
        return self._redis.zcount(key, f"({self._now()}", "+inf")

    def _now(self) -> float:
        seconds, microseconds = self._redis.time()
        return seconds + microseconds / 1e6
