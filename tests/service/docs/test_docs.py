from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.browser import find_chromium
from tests.support.processes import serving

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "service/docs/static"


def test_the_page_is_found_with_and_without_its_slash(client: TestClient) -> None:
    for path in ("/docs", "/docs/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["", "page.js", "swagger-ui/swagger-ui.css", "swagger-ui/LICENSE"])
def test_nothing_may_be_loaded_from_elsewhere(client: TestClient, path: str) -> None:
    headers = client.get(f"/docs/{path}").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {source for sources in policy.values() for source in sources.split()} == {"'none'", "'self'", "data:"}
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_names_files_of_its_own_alone() -> None:
    names = re.findall(r'(?:href|src)="([^"]+)"', (STATIC / "index.html").read_text())
    assert set(names) - {"../openapi.json"}
    for name in names:
        assert name == "../openapi.json" or (STATIC / name).is_file(), name


def test_a_good_copy_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/docs/swagger-ui/swagger-ui-bundle.js")
    again = client.get("/docs/swagger-ui/swagger-ui-bundle.js", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize("path", ["nothing.js", "../__init__.py", "..%2f__init__.py", "swagger-ui/"])
def test_there_is_nothing_else(client: TestClient, path: str) -> None:
    answer = client.get(f"/docs/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_licence_comes_with_it() -> None:
    assert "Apache License" in (STATIC / "swagger-ui/LICENSE").read_text()
    bundle = (STATIC / "swagger-ui/swagger-ui-bundle.js").read_text()
    assert "sourceMappingURL" not in bundle


def _shown(url: str, folder: Path) -> tuple[str, list[str], str]:
    """The page's markup once its scripts have run, the addresses that it asked for, and what the console says."""
    netlog = folder / "net.json"
    command = [
        find_chromium(),
        *(["--no-sandbox"] if os.getuid() == 0 else []),
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-component-update",
        "--disable-background-networking",
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={netlog}",
        "--enable-logging=stderr",
        "--virtual-time-budget=20000",
        "--dump-dom",
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    events: list[dict[str, Any]] = json.loads(netlog.read_text())["events"]
    requests = [event["params"] for event in events if "initiator" in event.get("params", {})]
    # A browser has errands of its own; those of a page have its origin.
    asked = [request["url"] for request in requests if url.startswith(request["initiator"])]
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return done.stdout, asked, console


@pytest.mark.browser
def test_a_browser_shows_every_operation_and_asks_this_host_alone(redis_url: str, tmp_path: Path) -> None:
    with serving(redis_url, tmp_path) as url:
        markup, asked, console = _shown(f"{url}/docs", tmp_path)
    document = json.loads((ROOT / "openapi/openapi.json").read_text())
    for operations in document["paths"].values():
        for operation in operations.values():
            assert f'-{operation["operationId"]}"' in markup
    files = {"docs/swagger-ui/swagger-ui-bundle.js", "docs/swagger-ui/swagger-ui.css", "docs/page.js", "openapi.json"}
    assert {f"{url}/{name}" for name in files} <= set(asked)
    assert all(address.startswith((f"{url}/", "data:")) for address in asked)
    assert console == ""
