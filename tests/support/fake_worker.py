"""A worker process with the fake encoder: ``python -m tests.support.fake_worker``.

Settings come from the environment, as a real worker's do; besides these, ``FAKE_ROW_S`` is the time a masked row takes,
``FAKE_STALL_S`` the time for which each job's thread is within one call of native code before its passes, and
``FAKE_MODEL`` its model's id, and ``FAKE_ERROR`` the text of a ``RuntimeError`` that the first batch raises.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["fake_worker"]

ROOT = Path(__file__).parents[2]


@contextmanager
def fake_worker(
    redis_url: str,
    data_dir: Path,
    *,
    row_s: float = 0.0,
    stall_s: float = 0.0,
    heartbeat_s: float = 0.3,
    grace_s: float = 30.0,
    **environment: str,
) -> Iterator[subprocess.Popen[str]]:
    """A running worker process, which is killed in the end if it is still there; its log is in ``data_dir``."""
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "FIXLIP_DATA_DIR": str(data_dir),
        "FIXLIP_MODELS": "fake",
        "FIXLIP_HEARTBEAT_S": str(heartbeat_s),
        "FIXLIP_GRACE_S": str(grace_s),
        "FAKE_ROW_S": str(row_s),
        "FAKE_STALL_S": str(stall_s),
        **environment,
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
    from service.observability.logs import configure_logging
    from tests.support.fake_encoder import CARD, FakeEncoder
    from worker.main import run
    from worker.settings import WorkerSettings

    settings = WorkerSettings()
    configure_logging(settings.log_level, settings.log_format)
    row_s, stall_s, error = (os.environ.get(f"FAKE_{name}", "") for name in ("ROW_S", "STALL_S", "ERROR"))
    errors = iter([RuntimeError(error)] if error else [])

    def fail() -> None:
        for one in errors:
            raise one

    card = dataclasses.replace(CARD, id=os.environ.get("FAKE_MODEL", CARD.id))
    stall = float(stall_s or 0)
    encoder = FakeEncoder(card=card, row_s=float(row_s or 0), on_view=lambda: time.sleep(stall), on_batch=fail)
    run(settings, loads=lambda _: {card.id: lambda: encoder})


if __name__ == "__main__":
    _main()
