"""A job's face to an encoder, whatever its inputs are; and waiting for what other threads do."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from fixlip_core.batching import Batcher

__all__ = ["SOON_S", "face_of", "until"]

SOON_S = 20.0


def until(holds: Callable[[], object]) -> None:
    """Wait until it does."""
    end = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def face_of(batcher: Batcher, encoder: Any, *, client: Hashable, check: Callable[[], None] = lambda: None) -> Any:
    """A job's face. The tests' encoder takes numbers for images."""
    return batcher.encoder_for(encoder, client=client, check=check)
