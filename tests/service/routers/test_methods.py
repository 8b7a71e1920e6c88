from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fixlip_core.methods import METHODS


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A client of a service that has neither models nor, once it is gone, Redis."""
    return TestClient(app)


def test_methods_are_listed_with_their_order_cost_and_parameters(client: TestClient) -> None:
    items = client.get("/v1/methods").json()["items"]

    assert [item["name"] for item in items] == list(METHODS)
    for item, spec in zip(items, METHODS.values(), strict=True):
        assert item["title"] == spec.title
        assert item["paper"] == f"https://arxiv.org/abs/{spec.paper}"
        assert (item["order"], item["needs_attention"]) == (spec.order, spec.needs_attention)
        assert item["parameters"] == spec.parameters.model_json_schema()


def test_the_cost_is_that_of_the_defaults(client: TestClient) -> None:
    costs = {item["name"]: item["cost"] for item in client.get("/v1/methods").json()["items"]}

    assert costs["fixlip"] == {"image_passes": 514, "text_passes": None, "backward_passes": 0}
    assert all(cost["image_passes"] > 0 for cost in costs.values())
    assert all(costs[name]["backward_passes"] > 0 for name in METHODS if name != "fixlip")


def test_one_method_is_read_by_its_name(client: TestClient) -> None:
    listed = {item["name"]: item for item in client.get("/v1/methods").json()["items"]}

    assert client.get("/v1/methods/m2ib").json() == listed["m2ib"]


def test_a_method_that_is_none_is_not_found(client: TestClient) -> None:
    response = client.get("/v1/methods/gradcam")

    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["code"] == "unknown_method"
    assert "grad_eclip" in response.json()["detail"]
