from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.problems import Problem


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/explanations/", 404, "not_found"),
        ("GET", "/v2/explanations", 404, "not_found"),
        ("GET", "/v1/explanations/x/../../../etc/passwd", 404, "not_found"),
        ("PUT", "/v1/explanations", 405, "method_not_allowed"),
        ("PUT", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
    ],
)
def test_unknown_routes_and_methods_are_problems(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = Problem.model_validate(response.json())
    assert (problem.status, problem.code, problem.type) == (status, code, f"urn:fixlip:problem:{code}")
    assert problem.request_id == response.headers["X-Request-Id"]
    assert ("Allow" in response.headers) is (status == 405)


def test_a_problem_has_the_members_of_rfc_9457_and_ours(client: TestClient) -> None:
    problem = client.get("/v1/explanations/x").json()

    assert set(problem) == {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}
    assert problem["instance"] == "/v1/explanations/x"


def test_an_invalid_query_is_a_problem_too(app: FastAPI, client: TestClient) -> None:
    def list_things(page_size: int) -> None: ...

    app.add_api_route("/things", list_things)

    response = client.get("/things?page_size=x")

    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert response.json()["errors"][0]["field"] == "query.page_size"
