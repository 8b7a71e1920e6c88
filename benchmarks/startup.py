"""How soon and how small the API starts: ``python -m benchmarks.startup``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from benchmarks.processes import usage_of
from fixlip._tied import tied
from fixlip.stack import listen

__all__ = ["Start", "start_api"]

STARTED_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Start:
    """A start of the API.

    Attributes:
        wall_s: seconds from the command to the first answer.
        cpu_s: seconds of CPU until then.
        rss_bytes: resident memory then.
    """

    wall_s: float
    cpu_s: float
    rss_bytes: int


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    starts = [start_api() for _ in range(parser.parse_args().times)]
    best = Start(*(min(getattr(start, name) for start in starts) for name in Start.__slots__))
    took = f"{best.wall_s:.2f} s ({best.cpu_s:.2f} s of CPU)"
    Console().print(f"fixlip serve answers after {took} and has {best.rss_bytes / 1e6:.0f} MB")


def start_api() -> Start:
    """Start ``fixlip serve``, without Redis or a store, and stop it as soon as it has answered.

    Raises:
        httpx.HTTPError: it did not answer, or not well.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        listen("127.0.0.1", 0) as listener,
        httpx.Client(timeout=STARTED_WITHIN_S, trust_env=False) as client,
    ):
        environment = {**os.environ, "FIXLIP_DATA_DIR": folder, "REDIS_URL": f"unix://{Path(folder) / 'none'}"}
        command = tied([sys.executable, "-m", "fixlip", "serve", "--fd", str(listener.fileno())])
        began_s = time.monotonic()
        process = subprocess.Popen(command, env=environment, pass_fds=(listener.fileno(),), stderr=subprocess.DEVNULL)
        try:
            # The socket listens already, so that the request waits until the API takes it.
            client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/livez").raise_for_status()
            wall_s, usage = time.monotonic() - began_s, usage_of(process.pid)
        finally:
            process.terminate()
            process.wait()
    return Start(wall_s, usage.cpu_s, usage.rss_bytes)


if __name__ == "__main__":
    main()
