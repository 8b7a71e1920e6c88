"""A worker process with the fake encoder: ``python -m tests.support.fake_worker``.

Settings come from the environment, as a real worker's do; ``FAKE_ROW_S`` is the time a masked row takes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["fake_worker"]

ROOT = Path(__file__).parents[2]


@contextmanager
def fake_worker(
    redis_url: str, data_dir: Path, *, row_s: float = 0.0, heartbeat_s: float = 0.3, grace_s: float = 30.0
) -> Iterator[subprocess.Popen[str]]:
    """A running worker process; its log is in ``.stderr`` and it is killed in the end, if it is still there."""
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "FIXLIP_DATA_DIR": str(data_dir),
        "FIXLIP_MODELS": "fake",
        "FIXLIP_HEARTBEAT_S": str(heartbeat_s),
        "FIXLIP_GRACE_S": str(grace_s),
        "FAKE_ROW_S": str(row_s),
    }
    command = [sys.executable, "-m", "tests.support.fake_worker"]
    with (data_dir / f"worker-{os.urandom(4).hex()}.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _main() -> None:
    import logging

    from tests.support.fake_encoder import FakeEncoder
    from worker.main import run
    from worker.settings import WorkerSettings

    logging.basicConfig(level=logging.INFO)
    run(WorkerSettings(), load=lambda settings: [FakeEncoder(row_s=float(os.environ["FAKE_ROW_S"]))])


if __name__ == "__main__":
    _main()
