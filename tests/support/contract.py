"""What a new OpenAPI document takes away from callers of an old one, in sentences; none where all they do still works.

Only what callers can rely on counts: texts, examples and the order of things may change, and much may be added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.contract_schemas import Schemas, narrowed, widened

__all__ = ["breaking_changes"]

Node = Mapping[str, Any]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def breaking_changes(old: Node, new: Node) -> list[str]:
    """What callers of ``old`` lose with ``new``; both are OpenAPI 3.1 documents."""
    schemas = Schemas(old, new)
    found = []
    for path, method, operation in _operations(old):
        place = f"{method.upper()} {path}"
        successor = new.get("paths", {}).get(path, {}).get(method)
        if successor is None:
            found.append(f"{place}: the operation is gone")
        else:
            found += [f"{place}: {change}" for change in _operation(operation, successor, schemas)]
    return found


def _operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in _METHODS if method in item)


def _operation(old: Node, new: Node, schemas: Schemas) -> Iterator[str]:
    if old.get("operationId") != new.get("operationId"):
        yield f"operationId was {old.get('operationId')}, is {new.get('operationId')}: generated clients rename it"
    yield from _parameters(old, new, schemas)
    yield from _body(old.get("requestBody"), new.get("requestBody"), schemas)
    yield from _responses(old["responses"], new["responses"], schemas)
    if not old.get("security") and new.get("security") and {} not in new["security"]:
        yield "a key is required"


def _parameters(old: Node, new: Node, schemas: Schemas) -> Iterator[str]:
    before, after = ({_place(p): p for p in node.get("parameters", [])} for node in (old, new))
    for (where, name), parameter in before.items():
        successor = after.get((where, name))
        if successor is None:
            yield f"{where} parameter {name} is gone"
            continue
        if successor.get("required") and not parameter.get("required"):
            yield f"{where} parameter {name} became required"
        yield from narrowed(parameter.get("schema", {}), successor.get("schema", {}), schemas, name)
    for where, name in after.keys() - before.keys():
        if after[where, name].get("required"):
            yield f"{where} parameter {name} is new and required"


def _place(parameter: Node) -> tuple[str, str]:
    """Where and what a parameter is; the case of headers' names says nothing."""
    where, name = parameter["in"], parameter["name"]
    return where, name.lower() if where == "header" else name


def _body(old: Node | None, new: Node | None, schemas: Schemas) -> Iterator[str]:
    if new is None:
        if old is not None:
            yield "the body is gone"
        return
    if new.get("required") and not (old or {}).get("required"):
        yield "the body became required"
    for kind, content in (old or {}).get("content", {}).items():
        if kind not in new["content"]:
            yield f"bodies of {kind} are gone"
        else:
            yield from narrowed(content.get("schema", {}), new["content"][kind].get("schema", {}), schemas, "body")


def _responses(old: Node, new: Node, schemas: Schemas) -> Iterator[str]:
    for status, response in old.items():
        if status not in new:
            yield f"status {status} is gone"
            continue
        for kind, content in response.get("content", {}).items():
            successor = new[status].get("content", {}).get(kind)
            if successor is None:
                yield f"status {status} has no {kind} any more"
            else:
                yield from widened(content.get("schema", {}), successor.get("schema", {}), schemas, status)
        for header in response.get("headers", {}).keys() - new[status].get("headers", {}).keys():
            yield f"status {status} has no header {header} any more"
