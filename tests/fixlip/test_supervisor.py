from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from fixlip.supervisor import Start, Supervisor, supervise_workers
from service.jobs.catalogue import Catalogue
from tests.support.processes import alive, children, wait_until

ROOT = Path(__file__).parents[2]

# Each child notes its process id in a file of its own; the parent is a process of its own too, since it takes signals.
PARENT = """
import logging, subprocess, sys
from pathlib import Path
from fixlip.supervisor import Start, Supervisor, supervise_workers

logging.basicConfig()

def start(name, code):
    note = "import os, time; open({!r}, 'a').write(f'{{os.getpid()}}\\\\n')\\n".format(sys.argv[1] + "/" + name)
    return lambda: subprocess.Popen([sys.executable, "-S", "-c", note + code])

pairs = zip(sys.argv[2::2], sys.argv[3::2])
Supervisor({n: start(n, c) for n, c in pairs}, ended_within_s=1.0, first_pause_s=0.2).run()
print("over")
"""
RUNS = "time.sleep(60)"
LEAVES_IN_PEACE = "import signal; signal.signal(15, lambda *_: os._exit(0)); time.sleep(60)"
TAKES_NO_SIGNAL = "import signal; signal.signal(15, lambda *_: None)\nwhile True: time.sleep(60)"
FAILS = "os._exit(3)"
IS_DONE = "os._exit(0)"


@contextmanager
def supervising(directory: Path, **codes: str) -> Iterator[subprocess.Popen[str]]:
    words = [word for pair in codes.items() for word in pair]
    command = [sys.executable, "-c", PARENT, str(directory), *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        left = children(process.pid) if alive(process.pid) else []
        process.kill()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def starts_of(directory: Path, name: str) -> list[int]:
    """Ids of the processes that were started under a name, the latest last."""
    path = directory / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_one_that_fails_is_started_again_after_pauses_that_grow(tmp_path: Path) -> None:
    with supervising(tmp_path, bad=FAILS, good=RUNS) as parent:
        wait_until(lambda: len(starts_of(tmp_path, "bad")) == 4)
        parent.terminate()
        _, log = parent.communicate(timeout=10)
    assert len(starts_of(tmp_path, "good")) == 1
    assert [line.partition("ended")[2] for line in log.splitlines()][:3] == [
        " with exit status 3 and is started again in 0 s",
        " with exit status 3 and is started again in 0 s",
        " with exit status 3 and is started again in 1 s",
    ]


def test_one_that_is_killed_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    with supervising(tmp_path, first=RUNS, second=RUNS):
        wait_until(lambda: len(starts_of(tmp_path, "first") + starts_of(tmp_path, "second")) == 2)
        os.kill(starts_of(tmp_path, "first")[0], signal.SIGKILL)
        wait_until(lambda: len(starts_of(tmp_path, "first")) == 2)
        assert alive(starts_of(tmp_path, "first")[1])
        assert alive(starts_of(tmp_path, "second")[0])


def test_one_that_cannot_be_started_is_tried_again_and_the_others_go_on() -> None:
    running: list[subprocess.Popen[bytes]] = []
    attempts = 0

    def succeed() -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]))
        return running[-1]

    def fail() -> subprocess.Popen[bytes]:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            assert [process.poll() for process in running] == [None]
            os.kill(os.getpid(), signal.SIGTERM)
        raise BlockingIOError(11, "Resource temporarily unavailable")

    Supervisor({"good": succeed, "bad": fail}, ended_within_s=1.0, first_pause_s=0.01).run()

    assert attempts == 3
    assert [process.poll() for process in running] == [-signal.SIGTERM]


def test_those_that_are_done_are_left_alone(tmp_path: Path) -> None:
    with supervising(tmp_path, first=IS_DONE, second=IS_DONE) as parent:
        output, _ = parent.communicate(timeout=10)
    assert (output, parent.returncode) == ("over\n", 0)
    assert len(starts_of(tmp_path, "first")) == len(starts_of(tmp_path, "second")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_end_awaited(tmp_path: Path, number: signal.Signals) -> None:
    with supervising(tmp_path, first=LEAVES_IN_PEACE, second=LEAVES_IN_PEACE, bad=FAILS) as parent:
        wait_until(lambda: all(starts_of(tmp_path, name) for name in ("first", "second", "bad")))
        parent.send_signal(number)
        output, _ = parent.communicate(timeout=10)
    assert (output, parent.returncode) == ("over\n", 0)
    assert not any(alive(pid) for name in ("first", "second", "bad") for pid in starts_of(tmp_path, name))


def test_one_that_does_not_end_is_killed_in_the_end(tmp_path: Path) -> None:
    with supervising(tmp_path, stubborn=TAKES_NO_SIGNAL) as parent:
        wait_until(lambda: bool(starts_of(tmp_path, "stubborn")))
        time.sleep(0.5)  # until it ignores the signal
        started = time.monotonic()
        parent.terminate()
        output, _ = parent.communicate(timeout=10)
        assert 1.0 <= time.monotonic() - started < 5.0
    assert output == "over\n"
    assert not alive(starts_of(tmp_path, "stubborn")[0])


def test_each_worker_has_metrics_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Mapping[str, str]] = []

    def note(environment: Mapping[str, str]) -> Start:
        told.append(environment)
        return lambda: subprocess.Popen(["true"])

    monkeypatch.setattr("fixlip.supervisor.start_worker", note)
    monkeypatch.setenv("FIXLIP_METRICS_PORT", "9100")
    supervise_workers(["cuda:0", "cuda:1"], models="demo", grace_s=1.0, metrics_port=9100)
    assert [environment["FIXLIP_METRICS_PORT"] for environment in told] == ["9100", "9101"]
    assert [environment["FIXLIP_DEVICE"] for environment in told] == ["cuda:0", "cuda:1"]
    assert {environment["FIXLIP_MODELS"] for environment in told} == {"demo"}


@pytest.mark.slow
def test_workers_are_kept_and_end_together(redis_url: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "FIXLIP_DATA_DIR": str(tmp_path),
        "FIXLIP_HEARTBEAT_S": "0.5",
        "FIXLIP_THREADS": "1",
    }
    command = [sys.executable, "-m", "fixlip", "worker", "--devices", "cpu", "--models", "demo"]
    with redis.Redis.from_url(redis_url) as client, (tmp_path / "log").open("w") as log:
        catalogue = Catalogue(client)
        parent = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
        try:
            wait_until(lambda: catalogue.live_workers() == 1, within_s=90)
            (first,) = children(parent.pid)
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: catalogue.live_workers() == 0, within_s=90)
            wait_until(lambda: catalogue.live_workers() == 1, within_s=90)
            (second,) = children(parent.pid)
            parent.kill()  # what is below it ends too, and in order
            parent.wait()
            wait_until(lambda: not alive(second), within_s=90)
        finally:
            parent.kill()
            parent.wait()
    assert "exit status -9" in (tmp_path / "log").read_text()
    assert second != first
