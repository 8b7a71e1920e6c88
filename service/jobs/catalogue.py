"""The models that workers serve, and which workers are alive, as the workers announced them in Redis."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json
from redis import Redis

from fixlip_core.encoders.card import ModelCard
from service.jobs._keys import Keys, text

__all__ = ["Catalogue"]

_log = logging.getLogger(__name__)


class Catalogue:
    """Model cards, which stay a day, and workers, whose announcements lapse.

    Redis's own clock decides what has lapsed, so the hosts' clocks need not agree. Every method may raise
    ``redis.RedisError`` when Redis does not answer.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)
        self._unreadable: set[str] = set()

    def announce(self, card: Mapping[str, Any], worker_id: str, *, ttl_s: float) -> None:
        """Say that a worker serves the model of ``card``, a :meth:`ModelCard.to_dict`, for ``ttl_s`` seconds."""
        model_id = str(card["id"])
        now = self._now()
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._keys.models, model_id, to_json(dict(card)))
            pipe.zadd(self._keys.announced, {model_id: now})
            for key in (self._keys.workers, self._keys.workers_of(model_id)):
                pipe.zremrangebyscore(key, "-inf", now)
                pipe.zadd(key, {worker_id: now + ttl_s})
            pipe.execute()

    def withdraw(self, worker_id: str) -> None:
        """Say that a worker has gone, at once."""
        models = [text(id_) for id_ in self._redis.hkeys(self._keys.models)]
        with self._redis.pipeline(transaction=True) as pipe:
            for key in (self._keys.workers, *(self._keys.workers_of(model_id) for model_id in models)):
                pipe.zrem(key, worker_id)
            pipe.execute()

    def cards(self) -> dict[str, ModelCard]:
        """Model cards by id, sorted; those of models whose workers have left are there too.

        A card that cannot be read, as one of another version of this program may be, is left out.
        """
        stored = {text(id_): card for id_, card in self._redis.hgetall(self._keys.models).items()}
        cards = {id_: self._read(id_, stored[id_]) for id_ in sorted(stored)}
        return {id_: card for id_, card in cards.items() if card is not None}

    def forget(self, *, silent_for_s: float) -> None:
        """Drop the cards of models that no worker has announced for so many seconds."""
        known = set(map(text, self._redis.hkeys(self._keys.models)))
        lately = set(map(text, self._redis.zrangebyscore(self._keys.announced, self._now() - silent_for_s, "+inf")))
        for model_id in known - lately:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.hdel(self._keys.models, model_id)
                pipe.zrem(self._keys.announced, model_id)
                pipe.delete(self._keys.workers_of(model_id))
                pipe.execute()

    def live_workers(self, model_id: str | None = None) -> int:
        """Number of workers alive, or of those that serve one model."""
        key = self._keys.workers if model_id is None else self._keys.workers_of(model_id)
        return self._redis.zcount(key, f"({self._now()}", "+inf")

    def lives_on(self, host: str) -> bool:
        """Whether a worker is alive whose id is this host's name and two more words, joined by hyphens."""
        now = self._now()
        found = self._redis.zscan_iter(self._keys.workers, match=f"{host}-*", count=1000)
        return any(lapses_at > now and text(id_).rsplit("-", 2)[0] == host for id_, lapses_at in found)

    def live_workers_of(self, model_ids: Iterable[str]) -> dict[str, int]:
        """Number of workers alive that serve each model, in the order given."""
        ids, now = list(model_ids), self._now()
        with self._redis.pipeline(transaction=False) as pipe:
            for model_id in ids:
                pipe.zcount(self._keys.workers_of(model_id), f"({now}", "+inf")
            return dict(zip(ids, pipe.execute(), strict=True))

    def _read(self, model_id: str, card: bytes | str) -> ModelCard | None:
        try:
            return _card(card)
        except ValueError as error:
            if model_id not in self._unreadable:
                self._unreadable.add(model_id)
                _log.warning("the card of model %r cannot be read: %s", model_id, error)
            return None

    def _now(self) -> float:
        seconds, microseconds = self._redis.time()
        return seconds + microseconds / 1e6


@lru_cache(256)  # every submission asks for all of them, and they seldom change
def _card(stored: bytes | str) -> ModelCard:
    return ModelCard.from_dict(from_json(stored))
