from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from fixlip_core.methods import METHODS
from service import openapi
from service.documents import PROBLEM_CODES, codes_of
from service.documents.codes import FIELD_CODES
from service.jobs.batches.records import BatchStatus
from service.jobs.records import JobStatus
from service.problems import PROBLEM_MEDIA_TYPE
from service.requests import ExplanationRequest

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / openapi.DEFAULT_PATH


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(openapi.render())
    return loaded


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What every operation takes, answers and, as a webhook, sends: (where, media type's object)."""
    hooks = [hook["post"] for hook in document["webhooks"].values()]
    for operation in [*operations(document), *hooks]:
        bodies = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for status, body in bodies.items():
            for kind, content in body.get("content", {}).items():
                yield f"{operation['operationId']} {status} {kind}", content


def examples_of(content: dict[str, Any], document: dict[str, Any]) -> Iterator[Any]:
    if "example" in content:
        yield content["example"]
    for example in content.get("examples", {}).values():
        if "$ref" in example:
            example = document["components"]["examples"][example["$ref"].rpartition("/")[2]]
        yield example["value"]


def test_the_committed_document_is_the_services_own() -> None:
    assert openapi.render() == COMMITTED.read_text(), "make it anew with `python -m service.openapi`"


def test_the_environment_does_not_change_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = openapi.render()
    monkeypatch.setenv("FIXLIP_MAX_BUDGET", "100")
    monkeypatch.setenv("FIXLIP_AUTH", "keys")

    assert openapi.render() == plain


def test_it_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    openapi.main([str(tmp_path / "new" / "api.json")])

    assert (tmp_path / "new" / "api.json").read_text() == openapi.render()


def test_it_is_an_openapi_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_has_an_id_a_summary_a_tag_and_its_errors(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(set(ids)) == len(ids) > 20
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    for operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert [tags[name] for name in operation["tags"]]
        errors = {status: found for status, found in operation["responses"].items() if status[0] not in "23"}
        assert {"default", "500"} <= errors.keys()
        for status, found in errors.items():
            assert list(found["content"]) == [PROBLEM_MEDIA_TYPE], status
            assert found["content"][PROBLEM_MEDIA_TYPE]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert set(tags) == {tag for operation in operations(document) for tag in operation["tags"]}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_example_is_as_its_schema_says(document: dict[str, Any]) -> None:
    checked = 0
    for where, content in contents(document):
        if "schema" not in content:
            continue
        validator = Draft202012Validator({**content["schema"], "components": document["components"]})
        for example in examples_of(content, document):
            assert list(validator.iter_errors(example)) == [], where
            checked += 1
    assert checked > 100


def test_every_answer_in_json_has_an_example(document: dict[str, Any]) -> None:
    files = {"getInteractionsJson"}  # of values for all pairs
    for where, content in contents(document):
        name, status, kind = where.split()
        # A part of a file is no document, and "default" stands for any.
        if kind in ("application/json", PROBLEM_MEDIA_TYPE) and status not in ("206", "default") and name not in files:
            assert list(examples_of(content, document)), where


def test_every_status_of_a_problem_names_its_codes(document: dict[str, Any]) -> None:
    for operation in operations(document):
        codes = codes_of(operation["operationId"])
        errors = {int(status) for status in operation["responses"] if status[0] in "45"}
        assert errors == codes.keys(), operation["operationId"]
        for status, names in codes.items():
            examples = operation["responses"][str(status)]["content"][PROBLEM_MEDIA_TYPE]["examples"]
            assert list(examples) == names


def test_codes_without_an_operation_are_those_of_paths_and_methods_that_there_are_not(document: dict[str, Any]) -> None:
    named = {code for o in operations(document) for codes in codes_of(o["operationId"]).values() for code in codes}
    assert PROBLEM_CODES.keys() - named == {"bad_request", "method_not_allowed", "not_found"}


def test_the_table_of_codes_has_every_code_of_the_sources() -> None:
    sources = [*ROOT.glob("service/**/*.py"), *ROOT.glob("fixlip_core/*.py"), *ROOT.glob("fixlip_core/methods/*.py")]
    found = set()
    for path in sources:
        text = path.read_text()
        found |= set(re.findall(r'\bcode="([a-z_0-9]+)"', text))
        found |= set(re.findall(r'(?:_problem|ProblemError)\(\s*\d{3},\s*"([a-z_0-9]+)"', text))
    of_jobs = {"batch_items_lost", "queue_ttl_exceeded", "worker_lost"}
    assert found - of_jobs - PROBLEM_CODES.keys() - FIELD_CODES == set()


def test_links_lead_to_operations_and_their_parameters(document: dict[str, Any]) -> None:
    by_id = {operation["operationId"]: operation for operation in operations(document)}
    linked = set()
    for operation in operations(document):
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                names = {parameter["name"] for parameter in by_id[link["operationId"]].get("parameters", [])}
                assert link["parameters"].keys() <= names
                linked.add(link["operationId"])
    takes_an_id = {name for name, o in by_id.items() if any(p["in"] == "path" for p in o.get("parameters", []))}
    assert takes_an_id <= linked


def test_submitting_is_one_operation_with_both_content_types(document: dict[str, Any]) -> None:
    content = document["paths"]["/v1/explanations"]["post"]["requestBody"]["content"]

    assert set(content) == {"multipart/form-data", "application/json"}
    form, body = (content[kind]["schema"] for kind in ("multipart/form-data", "application/json"))
    assert form["properties"].keys() == body["properties"].keys() == ExplanationRequest.model_fields.keys()
    assert form["required"] == body["required"] == ["caption"]
    assert len(form["oneOf"]) == len(body["oneOf"]) == 3


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


def test_the_examples_of_requests_are_accepted(document: dict[str, Any], client: TestClient) -> None:
    content = document["paths"]["/v1/explanations"]["post"]["requestBody"]["content"]["application/json"]
    examples = [example["value"] for example in content["examples"].values()]

    assert {example["method"] for example in examples} == METHODS.keys()
    for example in examples:
        assert base64.b64decode(example["image"]).startswith(b"\x89PNG")
        response = client.post("/v1/explanations", json=example)
        assert response.status_code == 202, response.text


def test_there_is_a_webhook_for_each_way_to_end(document: dict[str, Any]) -> None:
    jobs = {f"explanation.{status}" for status in JobStatus if status.is_terminal}
    batches = {f"batch.{status}" for status in BatchStatus if status.is_final}
    assert document["webhooks"].keys() == jobs | batches


def test_the_service_serves_the_same_document(app: FastAPI, client: TestClient, document: dict[str, Any]) -> None:
    assert client.get("/openapi.json").json() == document


def test_every_method_of_a_path_is_allowed(client: TestClient) -> None:
    answer = client.put("/v1/explanations")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert client.put("/docs/").headers["allow"] == "GET, HEAD"
