"""Which devices this machine has, asked without loading torch into this process."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Final

from fixlip.errors import CommandError

__all__ = ["count_gpus", "parse_devices"]

COUNTED_WITHIN_S: Final = 120.0
_COUNT: Final = "import torch; print(torch.cuda.device_count())"


def parse_devices(text: str) -> tuple[str, ...]:
    """The devices that a person names, each once: ``all``, ``cpu``, ``cuda`` or ``cuda:0,cuda:2``.

    ``cuda`` is every GPU, and ``all`` is too, or the CPU of a machine without GPUs.

    Raises:
        CommandError: a word is none of these, or a GPU that is named is not there.
    """
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if not re.fullmatch(r"all|cpu|cuda(:\d+)?", word):
            raise CommandError(f"{word!r} is no device: all, cpu, cuda, or GPUs such as cuda:0,cuda:1")
    gpus = [] if words == ["cpu"] else [f"cuda:{index}" for index in range(count_gpus())]
    meant = {"all": gpus or ["cpu"], "cuda": gpus, "cpu": ["cpu"], **{gpu: [gpu] for gpu in gpus}}
    for word in words:
        if not meant.get(word):
            raise CommandError(f"this machine has no {word}: it has {len(gpus)} GPUs that torch can use")
    return tuple(dict.fromkeys(device for word in words for device in meant[word]))


def count_gpus() -> int:
    """How many GPUs torch can use, by a process of its own: a parent of workers has no use for a context on them.

    Raises:
        CommandError: torch is not installed or does not answer.
    """
    try:
        command = [sys.executable, "-c", _COUNT]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COUNTED_WITHIN_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"torch did not count the GPUs within {COUNTED_WITHIN_S:.0f} s") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise CommandError(f"torch cannot count the GPUs: {reason}")
    return int(done.stdout)
