"""The client can be had without what computes, queues and serves."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

from fixlip.client import AsyncClient, Client

ROOT = Path(__file__).parents[3]
NOT_NEEDED = {"fastapi", "fixlip_core", "matplotlib", "numpy", "redis", "rq", "scipy", "service", "torch", "worker"}


def test_it_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    program = "import sys, fixlip.client; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert {"fixlip", "httpx"} <= imported
    assert imported & NOT_NEEDED == set()


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    def public(kind: type) -> dict[str, list[tuple[str, object, object]]]:
        return {
            name: [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }

    assert public(Client) == public(AsyncClient)
