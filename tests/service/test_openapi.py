from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fixlip_core.methods import METHODS
from service import openapi
from service.problems import Problem
from service.requests import ExplanationRequest

COMMITTED = Path(__file__).parents[2] / openapi.DEFAULT_PATH


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(COMMITTED.read_text())
    return loaded


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_committed_document_is_the_services_own() -> None:
    assert openapi.render() == COMMITTED.read_text(), "make it anew with `python -m service.openapi`"


def test_the_environment_does_not_change_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIXLIP_MAX_BUDGET", "100")

    assert openapi.render() == COMMITTED.read_text()


def test_it_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    openapi.main([str(tmp_path / "new" / "api.json")])

    assert (tmp_path / "new" / "api.json").read_text() == COMMITTED.read_text()


def test_every_operation_has_an_id_a_summary_and_its_errors(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(set(ids)) == len(ids) == 13
    for operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        errors = {status: found for status, found in operation["responses"].items() if status[0] not in "23"}
        assert "default" in errors
        for status, found in errors.items():
            assert list(found["content"]) == ["application/problem+json"], status
            assert found["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names == names & document["components"]["schemas"].keys()
    assert "Problem" in names


def test_submitting_is_one_operation_with_both_content_types(document: dict[str, Any]) -> None:
    content = document["paths"]["/v1/explanations"]["post"]["requestBody"]["content"]

    assert set(content) == {"multipart/form-data", "application/json"}
    form, body = (content[kind]["schema"] for kind in ("multipart/form-data", "application/json"))
    assert form["properties"].keys() == body["properties"].keys() == ExplanationRequest.model_fields.keys()
    assert form["required"] == body["required"] == ["image", "caption"]


def test_the_parameters_of_every_method_are_described(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/explanations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schemas = document["components"]["schemas"]
    references = [entry["$ref"].rpartition("/")[2] for entry in body["properties"]["params"]["anyOf"]]
    assert [schemas[name]["title"] for name in references] == [f"params of {name}" for name in METHODS]
    for name, spec in zip(references, METHODS.values(), strict=True):
        assert f"`{spec.name}`" in schemas[name]["description"]
        assert schemas[name]["properties"].keys() == spec.parameters.model_fields.keys()
        assert all(field["description"] for field in schemas[name]["properties"].values())
    assert body["properties"]["method"]["examples"] == sorted(METHODS)


def test_the_examples_hold(document: dict[str, Any], client: TestClient) -> None:
    content = document["paths"]["/v1/explanations"]["post"]["requestBody"]["content"]["application/json"]
    examples = [example["value"] for example in content["examples"].values()]

    assert {example["method"] for example in examples} == METHODS.keys()
    for example in examples:
        assert base64.b64decode(example["image"]).startswith(b"\x89PNG")
        response = client.post("/v1/explanations", json=example)
        assert response.status_code == 202, response.text
    Problem.model_validate(document["components"]["schemas"]["Problem"]["example"])


def test_the_service_serves_the_same_document(app: FastAPI, client: TestClient, document: dict[str, Any]) -> None:
    assert client.get("/openapi.json").json() == document
