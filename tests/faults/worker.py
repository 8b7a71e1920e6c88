"""A worker process whose encoder is the fake one, and does as its captions say: ``python -m tests.faults.worker``.

A caption is harmless unless one of its words is of :data:`MISCHIEF`. ``FAULTS_ROW_S`` is the time a masked row takes.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from fixlip_core.types import Coalitions, Embeddings
from tests.support.fake_encoder import CARD, FakeEncoder
from worker.main import run
from worker.settings import WorkerSettings

__all__ = ["LARGE", "MISCHIEF", "FaultyEncoder"]

LARGE: Final = replace(CARD, id="large", grid=(16, 16))
"""A model with so many patches that solving takes seconds within one call of native code."""


ROWS_THAT_FIT: Final = 4


def _die(rows: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hunger(rows: int) -> None:
    if rows > ROWS_THAT_FIT:
        raise MemoryError


def _starve(rows: int) -> None:
    raise MemoryError


MISCHIEF: Final[dict[str, Callable[[int], None]]] = {"dies": _die, "hungry": _hunger, "starving": _starve}
"""What a batch of so many rows does if a caption in it has such a word."""


@dataclass(frozen=True, slots=True)
class FaultyEncoder(FakeEncoder):
    """The fake encoder, at the mercy of its captions."""

    def encode_texts(self, caption: str, coalitions: Coalitions, **options: Any) -> Embeddings:
        """As the fake does it, after the mischief."""
        for word in MISCHIEF.keys() & caption.split():
            MISCHIEF[word](len(coalitions))
        return super(FaultyEncoder, self).encode_texts(caption, coalitions, **options)


def main() -> None:
    """Work until asked to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    row_s = float(os.environ.get("FAULTS_ROW_S", "0"))
    loads = {CARD.id: lambda: FaultyEncoder(row_s=row_s), LARGE.id: lambda: FaultyEncoder(card=LARGE)}
    run(WorkerSettings(), loads=lambda _: loads)


if __name__ == "__main__":
    main()
