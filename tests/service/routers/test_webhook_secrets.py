from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.access.keys import KeyStore
from service.access.principal import Scope
from service.app import create_app
from service.jobs.webhook_secrets import MAX_SECRETS
from service.settings import ServiceSettings

URL = "/v1/webhook-secrets"


@pytest.fixture
def guarded(settings: ServiceSettings) -> Iterator[TestClient]:
    """A service that asks for keys."""
    with TestClient(create_app(settings.model_copy(update={"auth": "keys"}))) as client:
        yield client


def test_a_secret_is_shown_once(client: TestClient) -> None:
    made = client.post(URL)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert made.json().keys() == {"id", "secret", "created_at"}
    assert made.json()["secret"].startswith("whsec_")
    listed = client.get(URL)
    assert listed.json() == {"items": [{name: made.json()[name] for name in ("id", "created_at")}]}
    assert made.json()["secret"] not in listed.text


def test_the_newest_is_listed_first(client: TestClient) -> None:
    ids = [client.post(URL).json()["id"] for _ in range(MAX_SECRETS)]
    assert [entry["id"] for entry in client.get(URL).json()["items"]] == ids[::-1]


def test_there_are_so_many_and_no_more(client: TestClient) -> None:
    for _ in range(MAX_SECRETS):
        client.post(URL)
    response = client.post(URL)
    assert (response.status_code, response.json()["code"]) == (409, "too_many_webhook_secrets")
    assert "delete one first" in response.json()["detail"]


def test_one_is_deleted(client: TestClient) -> None:
    secret_id = client.post(URL).json()["id"]
    deleted = client.delete(f"{URL}/{secret_id}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(URL).json() == {"items": []}
    again = client.delete(f"{URL}/{secret_id}")
    assert (again.status_code, again.json()["code"]) == (404, "webhook_secret_not_found")


def test_they_are_for_those_who_look_after_the_tenant(guarded: TestClient, settings: ServiceSettings) -> None:
    backend = guarded.app.state.backend  # type: ignore[attr-defined]  # it is the application
    keys = KeyStore(backend.redis, settings.key_prefix)
    every = {scope: keys.create("ada", [scope]) for scope in Scope}
    assert guarded.post(URL).status_code == 401
    for scope, (_, key) in every.items():
        expected = 201 if scope is Scope.ADMIN else 403
        assert guarded.post(URL, headers={"Authorization": f"Bearer {key}"}).status_code == expected
