"""The recipes of ``docs/clients.md`` work as they are written."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fixlip.client import Client
from tests.clients.test_typescript import SOURCES
from tests.support.processes import wait_until
from tests.support.service import Service, delivering

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
PORT = "9000"


def blocks(language: str) -> list[str]:
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


SHELL, MAKE_SECRET, SUBMIT_WITH_WEBHOOK = blocks("bash")
PYTHON, ASYNCIO, RECEIVER = blocks("python")
(TYPESCRIPT,) = blocks("ts")


def run(folder: Path, environment: dict[str, str], *words: str) -> str:
    """What a program prints that succeeds."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(photo: Path) -> Path:
    """Where the picture is."""
    return photo.parent


def test_curl(folder: Path, environment: dict[str, str]) -> None:
    printed = run(folder, environment, "bash", "-euo", "pipefail", "-c", SHELL)
    assert "event: completed" in printed
    assert '"next_page_token"' in printed
    with np.load(folder / "interactions.npz") as tensor:
        assert tensor["second"].shape[0] == tensor["second"].shape[1] > 0
    assert b'"top_interactions"' in (folder / "result.json").read_bytes()
    assert b"<svg" in (folder / "graph.svg").read_bytes()


def test_python(folder: Path, environment: dict[str, str]) -> None:
    printed = run(folder, environment, sys.executable, "-c", PYTHON)
    assert "succeeded" in printed
    assert "params.budget" in printed
    assert {path.name for path in (folder / "out").iterdir()} >= {"interactions.npz", "result.json", "maps"}
    with Client(environment["FIXLIP_URL"], api_key=environment["FIXLIP_API_KEY"]) as client:
        assert list(client.jobs(status="succeeded")) == []


def test_asyncio(folder: Path, environment: dict[str, str]) -> None:
    printed = run(folder, environment, sys.executable, "-c", ASYNCIO)
    captions = ["a dog on a red sofa", "a cat on a red sofa", "a sofa"]
    lines = printed.splitlines()
    assert all(line.startswith(caption) for line, caption in zip(lines, captions, strict=True))


def test_the_typescript_is_the_one_that_is_tested() -> None:
    assert (SOURCES / "explain.ts").read_text(encoding="utf-8") == TYPESCRIPT
    generate = json.loads((SOURCES / "package.json").read_text())["scripts"]["generate"]
    assert f"$ npx {generate.replace('openapi.json', 'http://127.0.0.1:8000/openapi.json')}\n" in PAGE


def test_a_webhook_is_received(folder: Path, environment: dict[str, str], service: Service) -> None:
    made = run(folder, environment, "bash", "-euo", "pipefail", "-c", MAKE_SECRET)
    secret = re.search(r'"secret":"(whsec_[^"]+)"', made)
    assert secret is not None
    (folder / "receiver.py").write_text(RECEIVER)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    log = folder / "receiver.log"
    with log.open("w") as out:
        receiver = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "receiver:app", "--port", port, "--log-level", "warning"],
            cwd=folder,
            env={**os.environ, "WEBHOOK_SECRET": secret[1]},
            stdout=out,
        )
    try:
        with delivering(service, FIXLIP_OUTBOUND_ALLOW="127.0.0.1", FIXLIP_WEBHOOK_RETRIES_S="1,1,1,1"):
            submitted = run(
                folder, environment, "bash", "-euo", "pipefail", "-c", SUBMIT_WITH_WEBHOOK.replace(PORT, port)
            )
            wait_until(lambda: log.read_text() != "")
    finally:
        receiver.terminate()
        receiver.wait()
    kind, job_id, status = log.read_text().split()
    assert (kind, status) == ("explanation.succeeded", "succeeded")
    assert job_id in submitted
