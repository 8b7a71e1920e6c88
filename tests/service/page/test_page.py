from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import ServiceSettings

STATIC = Path(__file__).parents[3] / "service/page/static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NAMES = re.findall(r'(?:href|src)="([^"]+)"', (STATIC / "index.html").read_text())


def test_the_page_is_at_the_root(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.content == (STATIC / "index.html").read_bytes()


def test_head_tells_of_it_without_sending_it(client: TestClient) -> None:
    told, sent = client.head("/"), client.get("/")
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["etag"] == sent.headers["etag"]


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/page/page.css", "/page/examples/examples.json"])
def test_nothing_is_loaded_from_elsewhere_or_run_inline(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_all_that_the_page_names_is_there_below_any_prefix(client: TestClient) -> None:
    assert {"page/page.js", "page/page.css", "docs/"} <= set(NAMES)
    for name in NAMES:
        assert not name.startswith("/")
        assert client.get(f"/{name}").status_code == 200, name


@pytest.mark.parametrize("path", ["/", "/page/page.js"])
def test_a_good_copy_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_what_is_long_is_compressed(client: TestClient) -> None:
    answer = client.get("/page/page.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/page/nothing.js", "/page/..%2f__init__.py", "/page/examples/", "/index.html"])
def test_there_is_nothing_else(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/page/page.js"])
def test_it_is_only_read(client: TestClient, path: str) -> None:
    answer = client.post(path)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == "GET, HEAD"


def test_it_takes_no_key_and_lives_below_any_prefix(settings: ServiceSettings) -> None:
    with TestClient(create_app(settings.model_copy(update={"auth": "keys"})), root_path="/explain") as behind:
        assert behind.get("/explain/v1/models").status_code == 401
        for name in ("", *NAMES):
            assert behind.get(f"/explain/{name}").status_code == 200, name
