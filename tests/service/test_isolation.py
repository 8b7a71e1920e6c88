"""What belongs to one tenant does not exist for another, on any route."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fixlip_core.formats import to_npz_bytes
from service.access.keys import KeyStore
from service.access.principal import Scope
from service.backend import Backend
from service.jobs.batches.records import ItemStatus
from service.jobs.records import JobOutput
from service.settings import ServiceSettings
from tests.support.explanations import example
from tests.support.jobs import png

CAPTION = "a red circle and a blue square"
FILE_NAMES = {"name": "first-order"}
"""Parameters of paths that name a part of something, not a thing of a tenant's."""
PUBLIC = {"/v1/methods/{name}"}


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"auth": "keys"})


@pytest.fixture
def owner(app: FastAPI, backend: Backend) -> Iterator[TestClient]:
    with TestClient(app, headers=bearing(backend, "owner")) as client:
        yield client


@pytest.fixture
def stranger(app: FastAPI, backend: Backend) -> TestClient:
    return TestClient(app, headers=bearing(backend, "stranger"))


def bearing(backend: Backend, tenant: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {KeyStore(backend.redis).create(tenant, list(Scope))[1]}"}


@pytest.fixture
def make(
    owner: TestClient, image_png: bytes, finish: Callable[..., JobOutput], backend: Backend
) -> dict[str, Callable[[], str]]:
    """What makes one thing of each kind for the owner, by the parameter that names it; gives its id."""

    def explanation() -> str:
        response = owner.post(
            "/v1/explanations", files={"image": image_png}, data={"caption": CAPTION, "cache": "bypass"}
        )
        assert response.status_code == 202, response.text
        finish(response.json()["id"], {"interactions.npz": to_npz_bytes(example()), "view.png": png()})
        return str(response.json()["id"])

    def image() -> str:
        response = owner.post("/v1/images", files={"image": image_png})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def secret() -> str:
        response = owner.post("/v1/webhook-secrets")
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def batch() -> str:
        item = {"custom_id": "one", "image": base64.b64encode(image_png).decode(), "caption": CAPTION}
        response = owner.post("/v1/batches", json={"items": [item]})
        assert response.status_code == 202, response.text
        (row,) = backend.batches.rows(response.json()["id"], 0, 1)
        if row.status is ItemStatus.QUEUED:  # not answered by an earlier one
            finish(row.job_id)
        return str(response.json()["id"])

    return {"explanation_id": explanation, "image_id": image, "secret_id": secret, "batch_id": batch}


def private_operations(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of each operation on a thing that a parameter names."""
    paths = app.openapi()["paths"]
    return [
        (method.upper(), path)
        for path, methods in paths.items()
        if "{" in path and path not in PUBLIC
        for method in methods
    ]


def test_what_is_anothers_is_not_there(
    app: FastAPI, owner: TestClient, stranger: TestClient, make: dict[str, Callable[[], str]]
) -> None:
    operations = private_operations(app)
    assert len(operations) >= 9
    for method, path in operations:
        names = re.findall(r"\{(\w+)\}", path)
        assert set(names) <= make.keys() | FILE_NAMES.keys(), f"say how to make what {path} is about"
        made = {name: make[name]() if name in make else FILE_NAMES[name] for name in names}
        url = path.format(**made)

        foreign = stranger.request(method, url)
        nothing = stranger.request(method, path.format(**dict.fromkeys(names, "0" * 32) | FILE_NAMES))
        own = owner.request(method, url)

        assert foreign.status_code == 404, (method, path)
        assert foreign.json()["code"] == nothing.json()["code"], (method, path)
        assert same_words(foreign, made) == same_words(nothing, dict.fromkeys(names, "0" * 32) | FILE_NAMES)
        is_there = own.status_code in (200, 202, 204, 409) or own.json().get("code") == "not_evaluated"
        assert is_there, (method, path, own.text)


def same_words(response: httpx2.Response, made: dict[str, str]) -> str:
    """What a problem says, ids left out."""
    detail = str(response.json()["detail"])
    for value in made.values():
        detail = detail.replace(value, "ID")
    return detail


def test_a_list_has_ones_own_jobs_alone(
    owner: TestClient, stranger: TestClient, make: dict[str, Callable[[], str]]
) -> None:
    job_id = make["explanation_id"]()

    assert [job["id"] for job in owner.get("/v1/explanations").json()["items"]] == [job_id]
    assert stranger.get("/v1/explanations").json() == {"items": [], "next_page_token": None}


def test_anothers_page_token_is_none(
    owner: TestClient, stranger: TestClient, make: dict[str, Callable[[], str]]
) -> None:
    make["explanation_id"](), make["explanation_id"]()
    token = owner.get("/v1/explanations?page_size=1").json()["next_page_token"]

    refused = stranger.get("/v1/explanations", params={"page_size": 1, "page_token": token})

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_page_token")


def test_anothers_upload_cannot_be_explained(
    owner: TestClient, stranger: TestClient, make: dict[str, Callable[[], str]]
) -> None:
    body = {"image_id": make["image_id"](), "caption": CAPTION}

    assert owner.post("/v1/explanations", json=body).status_code == 202
    refused = stranger.post("/v1/explanations", json=body)
    assert refused.status_code in (404, 422)
    assert refused.json()["code"] == "upload_not_found"


def test_anothers_result_is_not_reused(
    owner: TestClient, stranger: TestClient, make: dict[str, Callable[[], str]], image_png: bytes
) -> None:
    make["explanation_id"]()

    answer = stranger.post("/v1/explanations", files={"image": image_png}, data={"caption": CAPTION})

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
