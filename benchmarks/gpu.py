"""How busy a GPU is, as its driver sees it."""

from __future__ import annotations

import math
import subprocess
from types import TracebackType
from typing import Final

__all__ = ["BusyMeter"]

_COMMAND: Final = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=200")


class BusyMeter:
    """Mean share of the time in which the first GPU ran a kernel while the block ran, by samples of the driver.

    Args:
        on: whether to measure at all.

    Attributes:
        share: from 0 to 1, known once the block is left; nan where nothing was measured.
    """

    def __init__(self, *, on: bool) -> None:
        self._on = on
        self.share = math.nan
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> BusyMeter:
        if self._on:
            self._process = subprocess.Popen(_COMMAND, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        said, _ = process.communicate()
        samples = [float(line) for line in said.split() if line.isdigit()]
        self.share = sum(samples) / len(samples) / 100 if samples else math.nan
