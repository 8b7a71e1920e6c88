"""The API as a process of its own, over real HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fixlip.redis_server import RedisServer
from fixlip_core.encoders.card import ModelCard
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect

ROOT = Path(__file__).parents[2]
CAPTION = "a red circle and a blue square"
MAX_IMAGE_BYTES = 1_000_000


@contextmanager
def serving(directory: Path, redis_url: str) -> Iterator[httpx.Client]:
    """A uvicorn process on a unix socket, and a client of it."""
    path = directory / "api.sock"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": redis_url,
        "FIXLIP_DATA_DIR": str(directory / "data"),
        "FIXLIP_MAX_IMAGE_BYTES": str(MAX_IMAGE_BYTES),
    }
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "service.app:create_app",
        "--uds",
        str(path),
        "--no-access-log",
    ]
    with (
        subprocess.Popen(command, env=environment, cwd=directory, stderr=subprocess.DEVNULL) as process,
        httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://api", timeout=20) as client,
    ):
        try:
            wait_until_listening(path, process)
            yield client
        finally:
            process.terminate()
            process.wait(20)


def wait_until_listening(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the API did not come up; its exit status is {process.poll()}")


def announce(redis_url: str, card: ModelCard) -> None:
    with connect(redis_url, timeout_s=5) as redis:
        Catalogue(redis).announce(card.to_dict(), "w1", ttl_s=600)


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_submit_read_and_outlive_redis(tmp_path: Path, card: ModelCard, image_png: bytes) -> None:
    with RedisServer(tmp_path / "redis") as server, serving(tmp_path, server.url) as client:
        announce(server.url, card)
        assert client.get("/readyz").json()["status"] == "ok"

        submitted = client.post("/v1/explanations", files={"image": image_png}, data={"caption": CAPTION})
        assert submitted.status_code == 202
        location = submitted.headers["Location"]
        assert client.get(location).json() == submitted.json()
        assert client.get(f"{location}/result").json()["job_status"] == "queued"
        kept = files_below(tmp_path / "data")

        server.stop()
        started = time.monotonic()
        refused = client.post("/v1/explanations", files={"image": image_png}, data={"caption": CAPTION})
        unread = client.get(location)
        unready = client.get("/readyz")
        assert time.monotonic() - started < 10
        for response in (refused, unread, unready):
            assert response.status_code == 503
            assert response.headers["Content-Type"] == "application/problem+json"
            assert int(response.headers["Retry-After"]) > 0
        assert client.get("/livez").status_code == 200
        assert files_below(tmp_path / "data") == kept

        with RedisServer(tmp_path / "redis"):
            again = client.get(location)
            assert (again.status_code, again.json()) == (200, submitted.json())


def test_a_body_without_end_is_refused_while_it_streams(tmp_path: Path, redis_url: str, card: ModelCard) -> None:
    sent_bytes = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent_bytes
        yield b'{"image": "'
        while sent_bytes < 1_000_000_000:
            sent_bytes += 65_536
            yield b"A" * 65_536

    with serving(tmp_path, redis_url) as client:
        announce(redis_url, card)
        response = client.post("/v1/explanations", content=endless(), headers={"Content-Type": "application/json"})

        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
        assert sent_bytes < 20 * MAX_IMAGE_BYTES
        assert client.get("/livez").status_code == 200
    assert files_below(tmp_path / "data") == []


@pytest.mark.parametrize("heavy", ["torch", "matplotlib", "open_clip", "shapiq"])
def test_the_application_is_made_without(heavy: str, tmp_path: Path) -> None:
    program = f"import service.app, sys; service.app.create_app(); sys.exit({heavy!r} in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path)

    assert done.returncode == 0


def test_the_application_is_small(tmp_path: Path) -> None:
    program = (
        "import pathlib, service.app; service.app.create_app(); "
        # Not ru_maxrss, which a process inherits from the one that started it.
        "print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    peak_kib = subprocess.check_output([sys.executable, "-c", program], env=environment, cwd=tmp_path, text=True)

    assert int(peak_kib) / 1024 < 150
