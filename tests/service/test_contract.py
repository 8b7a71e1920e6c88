"""The API keeps what it has promised, until its major version is raised: ``openapi/released.json`` is the promise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.support.contract import breaking_changes

Document: TypeAlias = dict[str, Any]

OPENAPI = Path(__file__).parents[2] / "openapi"
BASE: Document = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1.0.0"},
    "paths": {
        "/things": {
            "post": {
                "operationId": "makeThing",
                "parameters": [
                    {"in": "query", "name": "size", "schema": {"type": "integer", "maximum": 9}},
                    {"in": "header", "name": "If-Match", "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}}},
                "responses": {
                    "200": {
                        "headers": {"ETag": {}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "404": {"description": "none"},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Wish": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 8},
                    "colour": {"enum": ["red", "blue"]},
                    "weight": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Wish"}},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string"},
                    "state": {"enum": ["new", "done"]},
                    "note": {"type": "string"},
                    "sizes": {"type": "array", "items": {"type": "integer"}},
                    "links": {"type": "object", "additionalProperties": {"type": "string"}},
                    "best": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
                },
            },
        }
    },
}


def operation(document: Document) -> Document:
    found: Document = document["paths"]["/things"]["post"]
    return found


def wish(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Wish"]
    return found


def thing(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Thing"]
    return found


def changed(change: Callable[[Document], object]) -> list[str]:
    document = copy.deepcopy(BASE)
    change(document)
    return breaking_changes(BASE, document)


BREAKING: dict[str, Callable[[Document], object]] = {
    "path": lambda d: d["paths"].clear(),
    "operation": lambda d: d["paths"]["/things"].pop("post"),
    "operationId": lambda d: operation(d).update(operationId="createThing"),
    "key": lambda d: operation(d).update(security=[{"bearer": []}]),
    "parameter gone": lambda d: operation(d)["parameters"].clear(),
    "parameter required": lambda d: operation(d)["parameters"][0].update(required=True),
    "new parameter required": lambda d: operation(d)["parameters"].append({"in": "header", "name": "x", "required": 1}),
    "parameter's limit": lambda d: operation(d)["parameters"][0]["schema"].update(maximum=8),
    "parameter's new limit": lambda d: operation(d)["parameters"][0]["schema"].update(minimum=0),
    "parameter's type": lambda d: operation(d)["parameters"][0]["schema"].update(type="string"),
    "body required": lambda d: operation(d)["requestBody"].update(required=True),
    "body gone": lambda d: operation(d).pop("requestBody"),
    "body's kind": lambda d: operation(d)["requestBody"]["content"].pop("application/json"),
    "field required": lambda d: wish(d)["required"].append("colour"),
    "field refused": lambda d: wish(d)["properties"].pop("colour"),
    "shorter text": lambda d: wish(d)["properties"]["name"].update(maxLength=7),
    "pattern": lambda d: wish(d)["properties"]["name"].update(pattern="a+"),
    "value refused": lambda d: wish(d)["properties"]["colour"].update(enum=["red"]),
    "null refused": lambda d: wish(d)["properties"].update(weight={"type": "number"}),
    "variant refused": lambda d: wish(d)["properties"]["weight"]["anyOf"].pop(),
    "items refused": lambda d: wish(d)["properties"]["parts"].update(items={"type": "string"}),
    "status gone": lambda d: operation(d)["responses"].pop("404"),
    "header gone": lambda d: operation(d)["responses"]["200"]["headers"].clear(),
    "answer's kind": lambda d: operation(d)["responses"]["200"]["content"].clear(),
    "answer's field gone": lambda d: thing(d)["properties"].pop("note"),
    "answer's field may be missing": lambda d: thing(d)["required"].remove("id"),
    "answer's type": lambda d: thing(d)["properties"]["id"].update(type=["string", "null"]),
    "answer's any type": lambda d: thing(d)["properties"]["id"].clear(),
    "answer's new value": lambda d: thing(d)["properties"]["state"]["enum"].append("lost"),
    "answer's value gone": lambda d: thing(d)["properties"]["state"]["enum"].remove("done"),
    "answer's items": lambda d: thing(d)["properties"]["sizes"].update(items={"type": "number"}),
    "answer's entries": lambda d: thing(d)["properties"]["links"].update(additionalProperties={"type": "object"}),
    "answer's new variant": lambda d: thing(d)["properties"]["best"]["anyOf"].append({"type": "string"}),
    "answer one of several": lambda d: thing(d)["properties"].update(id={"anyOf": [{"type": "string"}]}),
}
HARMLESS: dict[str, Callable[[Document], object]] = {
    "nothing": lambda d: None,
    "new path": lambda d: d["paths"].update({"/more": {"get": {"responses": {}}}}),
    "case of a header's name": lambda d: operation(d)["parameters"][1].update(name="if-match"),
    "texts": lambda d: operation(d).update(summary="other", description="words"),
    "new optional parameter": lambda d: operation(d)["parameters"].append({"in": "query", "name": "x", "schema": {}}),
    "parameter's limit lifted": lambda d: operation(d)["parameters"][0]["schema"].pop("maximum"),
    "parameter takes more": lambda d: operation(d)["parameters"][0]["schema"].update(type="number"),
    "new optional field": lambda d: wish(d)["properties"].update(shape={"type": "string"}),
    "field optional": lambda d: wish(d)["required"].clear(),
    "value more": lambda d: wish(d)["properties"]["colour"]["enum"].append("green"),
    "one of several ways": lambda d: wish(d).update(oneOf=[{"required": ["name"]}, {"required": ["colour"]}]),
    "new status": lambda d: operation(d)["responses"].update({"409": {"description": "conflict"}}),
    "new kind of answer": lambda d: operation(d)["responses"]["200"]["content"].update({"text/csv": {}}),
    "answer's new field": lambda d: thing(d)["properties"].update(extra={"type": "string"}),
    "answer's field is always there": lambda d: thing(d)["required"].append("note"),
    "answer's type is one of what it was": lambda d: thing(d)["properties"]["best"]["anyOf"].pop(),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_callers_lose_is_found(name: str) -> None:
    assert changed(BREAKING[name])


@pytest.mark.parametrize("name", HARMLESS)
def test_what_callers_gain_is_not(name: str) -> None:
    assert changed(HARMLESS[name]) == []


def test_a_loss_is_named_with_its_place() -> None:
    assert changed(lambda d: thing(d)["properties"].pop("note")) == ["POST /things: 200.note is gone"]


def test_nothing_released_is_taken_away_within_a_major_version() -> None:
    released, current = (json.loads((OPENAPI / name).read_text()) for name in ("released.json", "openapi.json"))
    majors = [int(document["info"]["version"].partition(".")[0]) for document in (released, current)]
    lost = breaking_changes(released, current)
    assert majors[1] > majors[0] or not lost, "raise API_VERSION's major number, or give back:\n" + "\n".join(lost)
