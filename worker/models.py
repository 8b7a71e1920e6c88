"""The models of a worker: loaded when a job wants them, and put away when others need their memory."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

from fixlip_core.batching import free_memory
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import FixlipError, UnknownModelError
from service.jobs.records import JobModel

__all__ = ["Load", "ModelPool", "ModelTooLargeError"]

LOOK_EVERY_S: Final = 0.1

Load: TypeAlias = Callable[[], DualEncoder]
"""Loads one model."""

_log = logging.getLogger(__name__)


class ModelTooLargeError(FixlipError):
    """A model's weights alone are more than the worker may hold."""

    code = "model_too_large"


@dataclass(slots=True)
class _Loaded:
    encoder: DualEncoder
    size_bytes: int
    users: int = 0


class ModelPool:
    """Models by id, within a budget of memory; several threads may use them at once.

    When there is no room for a model that a job wants, those that nobody uses leave, the least recently used first.
    While all the room is in use, jobs wait in line. Those who come later wait too, whatever they want: two models that
    do not fit together are then used by turns.

    Args:
        loads: what loads each model, by the id of its card.
        budget_bytes: how much the weights of all loaded models may take; None for no limit.
        on_unload: called with a model that leaves, so that nothing else keeps it.
    """

    def __init__(
        self,
        loads: Mapping[str, Load],
        *,
        budget_bytes: int | None = None,
        on_unload: Callable[[DualEncoder], object] = lambda _: None,
    ) -> None:
        self._loads = loads
        self._budget_bytes = budget_bytes
        self._on_unload = on_unload
        self._changed = threading.Condition()
        self._line: deque[object] = deque()
        self._loaded: dict[str, _Loaded] = {}  # the least recently used first
        self._cards: dict[str, ModelCard] = {}
        self._sizes_bytes: dict[str, int] = {}

    @property
    def cards(self) -> list[ModelCard]:
        """What the models say of themselves; complete after :meth:`load_all`."""
        return list(self._cards.values())

    @property
    def loaded_bytes(self) -> dict[str, int]:
        """What the weights of each model take that is loaded now."""
        with self._changed:
            return {model_id: entry.size_bytes for model_id, entry in self._loaded.items()}

    def load_all(self) -> None:
        """Load every model once, to know what it is; those that fit into the budget together stay.

        Raises:
            FixlipError: a model cannot be loaded, or is larger than the whole budget.
        """
        for model_id in self._loads:
            started = time.monotonic()
            if not self._load_first(model_id):
                _give_memory_back()
            _log.info("loaded %s in %.1f s", model_id, time.monotonic() - started)

    @contextmanager
    def use(self, model: JobModel, check: Callable[[], None]) -> Iterator[DualEncoder]:
        """The encoder that a job asks for, in the very revision that it was promised; it stays until the block is left.

        Args:
            model: id and revision.
            check: called every 0.1 s while the job waits for its turn; what it raises ends the wait.

        Raises:
            UnknownModelError: it is not served here, or its weights have changed since the job was submitted.
            FixlipError: it cannot be loaded again.
        """
        self._check_served(model)
        entry = self._take(model.id, check)
        try:
            self._check_served(model)  # its weights may have changed while it was not loaded
            yield entry.encoder
        finally:
            with self._changed:
                entry.users -= 1
                self._changed.notify_all()

    def _check_served(self, model: JobModel) -> None:
        card = self._cards.get(model.id)
        if card is None:
            served = ", ".join(sorted(self._cards))
            raise UnknownModelError(f"model {model.id!r} is not served; served models: {served}")
        if card.revision != model.revision:
            raise UnknownModelError(
                f"model {model.id!r} is served in revision {card.revision}, not {model.revision}: "
                "its weights changed after the job was submitted; submit it again",
                code="model_changed",
            )

    def _take(self, model_id: str, check: Callable[[], None]) -> _Loaded:
        """The model, with one user more; who is first in line may load it."""
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            try:
                while not (self._line[0] is ticket and self._make_room(model_id)):
                    check()
                    self._changed.wait(LOOK_EVERY_S)
                # The lock is let go of while a model loads; nobody overtakes who is first in line.
                entry = self._loaded.pop(model_id, None) or self._load(model_id)
                entry.users += 1
                self._loaded[model_id] = entry
                return entry
            finally:
                self._line.remove(ticket)
                self._changed.notify_all()

    def _make_room(self, model_id: str) -> bool:
        """Whether the model is there, or fits in once those have left that nobody uses and that must."""
        if model_id in self._loaded:
            return True
        idle = [other for other, entry in self._loaded.items() if not entry.users]
        size = self._sizes_bytes[model_id]
        if not self._fits(size, without=idle):
            return False
        while not self._fits(size):
            self._unload(idle.pop(0))
        return True

    def _fits(self, size_bytes: int, *, without: list[str] | None = None) -> bool:
        taken = sum(entry.size_bytes for id_, entry in self._loaded.items() if id_ not in (without or ()))
        return self._budget_bytes is None or taken + size_bytes <= self._budget_bytes

    def _load_first(self, model_id: str) -> bool:
        """Load a model to know what it is; whether it stays."""
        encoder = self._loads[model_id]()
        size = encoder.weights_bytes
        if self._budget_bytes is not None and size > self._budget_bytes:
            raise ModelTooLargeError(
                f"the weights of model {model_id!r} take {size:,} bytes, and FIXLIP_MEMORY_BYTES allows "
                f"{self._budget_bytes:,}"
            )
        self._cards[model_id], self._sizes_bytes[model_id] = encoder.card, size
        if stays := self._fits(size):
            self._loaded[model_id] = _Loaded(encoder, size)
        return stays

    def _load(self, model_id: str) -> _Loaded:
        self._changed.release()
        try:
            encoder = self._loads[model_id]()
        finally:
            self._changed.acquire()
        _log.info("loaded %s again", model_id)
        self._cards[model_id], self._sizes_bytes[model_id] = encoder.card, encoder.weights_bytes
        return _Loaded(encoder, encoder.weights_bytes)

    def _unload(self, model_id: str) -> None:
        self._on_unload(self._loaded.pop(model_id).encoder)
        _give_memory_back()
        _log.info("unloaded %s, to make room", model_id)


def _give_memory_back() -> None:
    """Let the device have what a model took, to which nothing refers any more."""
    gc.collect()
    free_memory()
