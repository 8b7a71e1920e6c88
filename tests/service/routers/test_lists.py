from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.jobs.records import JobOutput


def get(client: TestClient, **parameters: str | int) -> dict[str, Any]:
    response = client.get("/v1/explanations", params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    page: dict[str, Any] = response.json()
    return page


def test_a_page_has_whole_jobs(client: TestClient, submit: Callable[[], str]) -> None:
    job_id = submit()

    page = get(client)

    assert page == {"items": [client.get(f"/v1/explanations/{job_id}").json()], "next_page_token": None}


def test_pages_follow_each_other(client: TestClient, submit: Callable[[], str]) -> None:
    ids = [submit() for _ in range(5)][::-1]
    listed, page = [], get(client, page_size=2)
    listed += page["items"]
    while page["next_page_token"]:
        page = get(client, page_size=2, page_token=page["next_page_token"])
        listed += page["items"]

    assert [job["id"] for job in listed] == ids


def test_jobs_are_found_by_status_model_and_method(
    client: TestClient, submit: Callable[[], str], finish: Callable[[str], JobOutput]
) -> None:
    queued, done = submit(), submit()
    finish(done)

    assert [job["id"] for job in get(client, status="succeeded")["items"]] == [done]
    assert [job["id"] for job in get(client, status="queued", model="demo", method="fixlip")["items"]] == [queued]
    assert get(client, model="unheard-of")["items"] == []


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"status": "done"}, "query.status"),
        ({"page_size": 0}, "query.page_size"),
        ({"page_size": 101}, "query.page_size"),
        ({"page_size": "x"}, "query.page_size"),
        ({"page_token": "x"}, "page_token"),
        ({"page_token": ""}, "page_token"),
    ],
)
def test_what_cannot_be_listed_is_named(client: TestClient, parameters: dict[str, Any], field: str) -> None:
    response = client.get("/v1/explanations", params=parameters)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_token_is_bound_to_its_filters(client: TestClient, submit: Callable[[], str]) -> None:
    submit(), submit()
    token = get(client, page_size=1)["next_page_token"]

    response = client.get("/v1/explanations", params={"page_token": token, "status": "queued"})

    assert (response.status_code, response.json()["code"]) == (422, "invalid_page_token")
