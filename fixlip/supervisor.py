"""Processes side by side, and a parent that starts those again that fail."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final

from fixlip._tied import tied

__all__ = ["Start", "Supervisor", "start_worker", "supervise_workers"]

POLL_S: Final = 0.1
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
HEALTHY_AFTER_S: Final = 60.0
ENDED_WITHIN_S: Final = 20.0  # on top of the grace that a worker gives its jobs

Start = Callable[[], subprocess.Popen[bytes]]
"""Starts a process, anew each time."""

_log = logging.getLogger(__name__)


def supervise_workers(
    devices: Sequence[str], *, models: str | None, grace_s: float, metrics_port: int | None = None
) -> None:
    """Run one worker process per device until SIGTERM or SIGINT, which all of them are given.

    Args:
        devices: such as ``cuda:0`` and ``cuda:1``.
        models: what to serve, if not what the environment says.
        grace_s: what a stopping worker gives its jobs.
        metrics_port: where the first answers Prometheus; the second does at the next port, and so on.
    """
    starts = {}
    for index, device in enumerate(devices):
        port = None if metrics_port is None else metrics_port + index
        starts[device] = start_worker({**os.environ, **_settings_of(device, models=models, metrics_port=port)})
    Supervisor(starts, ended_within_s=grace_s + ENDED_WITHIN_S).run()


def _settings_of(device: str, *, models: str | None, metrics_port: int | None) -> dict[str, str]:
    """What one of several workers is told that its parent's environment does not say, or says otherwise."""
    return {
        "FIXLIP_DEVICE": device,
        **({"FIXLIP_MODELS": models} if models else {}),
        **({"FIXLIP_METRICS_PORT": str(metrics_port)} if metrics_port is not None else {}),
    }


def start_worker(environment: Mapping[str, str]) -> Start:
    """How to start a worker process that does not outlive this one."""
    return lambda: subprocess.Popen(
        tied([sys.executable, "-m", "fixlip", "worker"]),
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # a terminal's Ctrl-C is for the parent, which passes it on once
    )


class Supervisor:
    """Keeps processes running.

    One that ends with exit status 0 was asked to and stays ended. One that fails, is killed or cannot be started is
    started again after a pause, which doubles with each failure in a row.

    Args:
        starts: by a name for the log, how to start each process.
        ended_within_s: how long the processes may take to end, before they are killed.
        first_pause_s: seconds before the first new start.
    """

    def __init__(
        self, starts: Mapping[str, Start], *, ended_within_s: float, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._children = [_Child(name, start, first_pause_s) for name, start in starts.items()]
        self._ended_within_s = ended_within_s
        self._asked = 0
        self._passed_on = 0
        self._stopping_since: float | None = None

    def run(self) -> None:
        """Keep them running, main thread, until SIGTERM or SIGINT has been passed on and all have ended."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not all(child.is_done for child in self._children):
                self._pass_on()
                for child in self._children:
                    child.look_after()
                time.sleep(POLL_S)
        finally:
            for child in self._children:
                child.kill()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1  # the loop does the rest: a handler runs between any two steps of it

    def _pass_on(self) -> None:
        now = time.monotonic()
        while self._passed_on < self._asked:
            self._passed_on += 1
            self._stopping_since = self._stopping_since or now
            for child in self._children:
                child.stop()
        if self._stopping_since is not None and now - self._stopping_since > self._ended_within_s:
            for child in self._children:
                child.kill()


@dataclass(slots=True)
class _Child:
    """One of the processes: it runs, or it is due to be started, or it is done."""

    name: str
    start: Start
    first_pause_s: float
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    due_at: float = 0.0
    is_wanted: bool = True

    @property
    def is_done(self) -> bool:
        """Whether it does not run and is not to be started again."""
        return self.process is None and not self.is_wanted

    def look_after(self) -> None:
        """Start the process if that is due; note its end."""
        now = time.monotonic()
        if self.process is None:
            if self.is_wanted and now >= self.due_at:
                self._begin(now)
        elif (status := self.process.poll()) is not None:
            self.process = None
            self._note_end(status, now)

    def stop(self) -> None:
        """Ask the process to end; it is not started again."""
        self.is_wanted = False
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End the process, if it runs, and wait until it has."""
        self.is_wanted = False
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _begin(self, now: float) -> None:
        self.started_at = now
        try:
            self.process = self.start()
        except OSError as error:  # the machine has no room for it just now, which is no reason to end the others
            self._note_failure(f"could not be started ({error.strerror})", now)

    def _note_end(self, status: int, now: float) -> None:
        if status == 0 or not self.is_wanted:
            self.is_wanted = False
        else:
            self._note_failure(f"ended with exit status {status}", now)

    def _note_failure(self, what: str, now: float) -> None:
        self.failures = 1 if now - self.started_at >= HEALTHY_AFTER_S else self.failures + 1
        pause_s = min(self.first_pause_s * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE_S)
        self.due_at = now + pause_s
        _log.error("%s %s and is started again in %.0f s", self.name, what, pause_s)
