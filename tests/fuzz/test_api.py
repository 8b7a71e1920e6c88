"""Schemathesis at the real service, by its OpenAPI document: every check, every operation, links followed.

The short run is for every day; `make fuzz` makes at least ``FULL_CASES`` requests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.fuzz.scale import IS_FULL
from tests.support.fake_worker import fake_worker
from tests.support.processes import fixlip, serving, wait_until

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
FULL_CASES: Final = 5_000
SHORT_CASES: Final = 500
MAX_EXAMPLES: Final = 400 if IS_FULL else 4
LIMIT_S: Final = 3_600 if IS_FULL else 240
SCOPES: Final = ("submit", "read", "admin")


@pytest.fixture
def service(redis_url: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URL of a service with a worker and keys, and a key that allows everything."""
    settings = {"FIXLIP_AUTH": "keys", "FIXLIP_MAX_BUDGET": "1024", "FIXLIP_QUOTA_REQUESTS_PER_MIN": "1000000"}
    with (
        fake_worker(redis_url, tmp_path, FAKE_MODEL="demo"),
        serving(redis_url, tmp_path, **settings) as url,
    ):
        wanted = [word for scope in SCOPES for word in ("--scope", scope)]
        made = fixlip("keys", "create", "--tenant", "fuzz", *wanted, REDIS_URL=redis_url)
        key = re.search(r"fxl_\S+", made.stdout)
        assert key is not None, made.stdout + made.stderr
        wait_until(lambda: httpx.get(f"{url}/readyz", params={"model": "demo"}).is_success, within_s=90)
        yield url, key[0]


def schemathesis(url: str, key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The outcome of a run."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        f"{url}/openapi.json",
        f"--header=Authorization: Bearer {key}",
        "--checks=all",
        "--phases=examples,coverage,fuzzing,stateful",
        f"--max-examples={MAX_EXAMPLES}",
        f"--seed={int(time.time()) if IS_FULL else 1}",
        "--no-color",
        "--request-timeout=90",  # longer than a request may prefer to wait
        f"--report-dir={folder}",
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S + 120)
def test_the_service_does_what_its_document_says(service: tuple[str, str], tmp_path: Path) -> None:
    outcome = schemathesis(*service, tmp_path)
    report = outcome.stdout[-20_000:] + outcome.stderr[-2_000:]
    assert outcome.returncode == 0, report
    tested, cases = (re.search(pattern, outcome.stdout) for pattern in (r"Tested: (\d+)", r"(\d+) generated"))
    assert tested is not None, report
    assert cases is not None, report
    operations = [o for path in httpx.get(f"{service[0]}/openapi.json").json()["paths"].values() for o in path]
    assert int(tested[1]) == len(operations)
    assert int(cases[1]) >= (FULL_CASES if IS_FULL else SHORT_CASES), report
    print(outcome.stdout[-3_000:])
