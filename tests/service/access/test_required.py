"""The API with keys: who is let in, to what, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.access._memory import MEMORY_S
from service.access.allowances import Allowance, AllowanceBook
from service.access.keys import KeyStore
from service.access.principal import Scope
from service.app import create_app
from service.backend import Backend
from service.jobs.connection import connect
from service.settings import ServiceSettings
from tests.support.processes import serving, wait_until

CAPTION = "a red circle and a blue square"


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(redis_url=redis_url, data_dir=tmp_path / "data", max_budget=1024)


@pytest.fixture
def keys(backend: Backend) -> KeyStore:
    return KeyStore(backend.redis)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client on this very machine."""
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000)) as client:
        yield client


def bearing(keys: KeyStore, *scopes: Scope, tenant: str = "acme") -> dict[str, str]:
    """The header of a new key."""
    return {"Authorization": f"Bearer {keys.create(tenant, scopes or list(Scope))[1]}"}


def limit(backend: Backend, tenant: str = "acme", **quotas: int) -> None:
    """Give a tenant quotas."""
    AllowanceBook(backend.redis, "fixlip", defaults=Allowance()).say(tenant, Allowance(**quotas))


def operations(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path with something in the place of its parameters, what is documented) of each operation."""
    paths: dict[str, Any] = app.openapi()["paths"]
    return [
        (method.upper(), re.sub(r"\{.*?\}", "0" * 32, path), found)
        for path, methods in paths.items()
        for method, found in methods.items()
    ]


def test_every_operation_asks_for_a_key(app: FastAPI, client: TestClient, keys: KeyStore) -> None:
    keys.create("acme", [Scope.READ])

    asked = 0
    for method, path, documented in operations(app):
        response = client.request(method, path)
        if not path.startswith("/v1/"):
            assert response.status_code not in (401, 403), path
            assert "security" not in documented
            continue
        asked += 1
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated"), path
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert {"401", "403", "429"} <= documented["responses"].keys(), path
        (requirement,) = documented["security"]
        assert requirement.keys() == {"apiKey"}
    assert asked >= 12


def test_every_operation_asks_for_the_scope_that_it_documents(app: FastAPI, client: TestClient, keys: KeyStore) -> None:
    for method, path, documented in operations(app):
        if not path.startswith("/v1/"):
            continue
        (scope,) = documented["security"][0]["apiKey"]
        assert scope == (
            "read" if method == "GET" and "secrets" not in path else "admin" if "secrets" in path else "submit"
        )
        others = [other for other in Scope if other != scope]

        refused = client.request(method, path, headers=bearing(keys, *others))
        allowed = client.request(method, path, headers=bearing(keys, Scope(scope)))

        assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope"), path
        assert f'scope="{scope}"' in refused.headers["WWW-Authenticate"]
        assert allowed.status_code not in (401, 403, 429), path


def test_the_document_says_how_to_bring_a_key(app: FastAPI) -> None:
    (scheme,) = app.openapi()["components"]["securitySchemes"].values()

    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert all(scope in scheme["description"] for scope in Scope)


def test_whoever_is_not_let_in_is_not_read(client: TestClient, keys: KeyStore) -> None:
    keys.create("acme", [Scope.READ])

    response = client.post("/v1/explanations", content=b"no JSON", headers={"Content-Type": "application/json"})

    assert response.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer fxl_x", "fxl_x", "Bearer a b", "é"])
def test_what_is_no_key_is_refused(client: TestClient, keys: KeyStore, header: str) -> None:
    keys.create("acme", [Scope.READ])

    response = client.get("/v1/methods", headers={b"Authorization": header.encode()})

    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response.json()["errors"][0]["field"] == "Authorization"


def test_without_keys_this_machine_is_answered_and_no_other(app: FastAPI, client: TestClient, backend: Backend) -> None:
    foreign = TestClient(app, base_url="http://127.0.0.1", client=("192.168.0.7", 50_000))

    assert client.get("/v1/models").status_code == 200
    for path in ("/v1/models", "/v1/explanations", "/v1/explanations/x"):
        refused = foreign.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "keys_required")
        assert "fixlip keys create" in refused.json()["detail"]
    assert foreign.get("/livez").status_code == 200


def test_whoever_asks_is_logged_without_the_key(
    client: TestClient, keys: KeyStore, capfd: pytest.CaptureFixture[str]
) -> None:
    key, shown = keys.create("acme", [Scope.READ])
    client.get("/v1/methods", headers={"Authorization": f"Bearer {shown}"})

    logged = capfd.readouterr().err
    (line,) = (line for line in logged.splitlines() if '"request"' in line)
    assert '"tenant": "acme"' in line
    assert f'"key_id": "{key.id}"' in line
    assert shown.rpartition("_")[2] not in logged


def test_requests_of_a_limited_tenant_are_counted_on_every_answer(
    client: TestClient, keys: KeyStore, backend: Backend
) -> None:
    limit(backend, requests_per_min=3)
    headers, others = bearing(keys), bearing(keys, tenant="other")

    answers = [
        client.get(path, headers=headers) for path in ("/v1/methods", "/v1/explanations/x", "/v1/models", "/v1/x")
    ]
    refused = client.get("/v1/methods", headers=headers)

    assert [answer.status_code for answer in answers] == [200, 404, 200, 404]
    for left, answer in zip((2, 1, 0), answers, strict=False):
        assert answer.headers["RateLimit-Policy"] == '"requests_per_min";q=3;w=60'
        assert re.fullmatch(rf'"requests_per_min";r={left};t=\d+', answer.headers["RateLimit"])
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert [error["field"] for error in refused.json()["errors"]] == ["requests_per_min"]
    assert re.fullmatch(r'"requests_per_min";r=0;t=\d+', refused.headers["RateLimit"])
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    free = client.get("/v1/methods", headers=others)
    assert free.status_code == 200
    assert "RateLimit" not in free.headers


def test_the_passes_of_a_day_are_charged_once_a_job_is_taken(
    client: TestClient, keys: KeyStore, backend: Backend, image_png: bytes
) -> None:
    limit(backend, passes_per_day=200, requests_per_min=100)
    headers = bearing(keys)

    def submit(budget: int, caption: str = CAPTION) -> httpx2.Response:
        data = {"caption": caption, "params": f'{{"budget": {budget}}}'}
        return client.post("/v1/explanations", files={"image": image_png}, data=data, headers=headers)

    def used() -> int:
        items = {item["name"]: item["used"] for item in client.get("/v1/quotas", headers=headers).json()["items"]}
        return int(items["passes_per_day"])

    assert submit(64, caption="").status_code == 422
    assert used() == 0
    assert submit(64).status_code == 202
    first = used()
    assert 64 <= first <= 100
    refused = submit(512)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (429, "passes_per_day")
    assert len(refused.headers.get_list("RateLimit")) == 2  # of the requests, and of the passes
    assert used() == first


def test_waiting_jobs_and_stored_bytes_are_limited(
    client: TestClient, keys: KeyStore, backend: Backend, image_png: bytes
) -> None:
    limit(backend, "full", stored_bytes=1)
    limit(backend, "busy", queued_jobs=1)

    def submit(headers: dict[str, str]) -> httpx2.Response:
        return client.post("/v1/explanations", files={"image": image_png}, data={"caption": CAPTION}, headers=headers)

    full, busy = bearing(keys, tenant="full"), bearing(keys, tenant="busy")
    refused = submit(full)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (429, "stored_bytes")
    taken = submit(busy)
    refused = submit(busy)
    assert (taken.status_code, refused.status_code) == (202, 429)
    assert refused.json()["errors"][0]["field"] == "queued_jobs"
    client.post(f"/v1/explanations/{taken.json()['id']}/cancel", headers=busy)
    assert submit(busy).status_code == 202


def test_the_defaults_are_settings(settings: ServiceSettings, keys: KeyStore) -> None:
    app = create_app(settings.model_copy(update={"quota_requests_per_min": 2}))
    with TestClient(app) as client:
        headers = bearing(keys)
        statuses = [client.get("/v1/methods", headers=headers).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


@pytest.mark.slow
def test_a_real_server_answers_whom_it_says(redis_url: str, tmp_path: Path) -> None:
    """This machine alone until there is a key; then its bearer alone; nobody within seconds of its revocation."""
    with serving(redis_url, tmp_path) as url, httpx.Client(base_url=url) as client:

        def status(**headers: str) -> int:
            return client.get("/v1/methods", headers=headers).status_code

        assert "access_loopback_only" in (tmp_path / "api.log").read_text()
        assert status() == 200
        assert status(Host="attacker.example") == 403
        assert status(**{"X-Forwarded-For": "127.0.0.1"}) == 403

        keys = KeyStore(connect(redis_url, timeout_s=5))
        key, shown = keys.create("acme", [Scope.READ])
        assert status(Authorization=f"Bearer {shown}") == 200
        wait_until(lambda: status() == 401, within_s=2 * MEMORY_S)

        keys.revoke(key.id)
        wait_until(lambda: status(Authorization=f"Bearer {shown}") == 401, within_s=2 * MEMORY_S)
