"""The page's own types of the API's answers are what the API answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
API = ROOT / "web/src/page/api"
SCHEMAS: dict[str, Any] = json.loads((ROOT / "openapi/openapi.json").read_text())["components"]["schemas"]
SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
FIELD = re.compile(r"^  (?:readonly )?(\w+): (.+);$", re.MULTILINE)


def _interfaces() -> dict[str, dict[str, str]]:
    """By name, the fields of the interfaces that are of schemas, with their types as written."""
    text = "\n".join((API / name).read_text() for name in ("types.ts", "batches.ts", "comparisons.ts"))
    found = re.findall(r"^export interface (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    return {name: dict(FIELD.findall(body)) for name, body in found if name in SCHEMAS}


INTERFACES = _interfaces()


def _accepts(written: str, schema: dict[str, Any]) -> bool:
    """Whether a type takes every scalar that the schema gives; what is no scalar has interfaces of its own."""
    kinds = {option.get("type") for option in schema.get("anyOf", [schema])}
    taken = {part.strip() for part in written.split("|")}
    needed = {SCALARS[kind] for kind in kinds if kind in SCALARS}
    return needed <= taken or ("enum" in schema and taken.isdisjoint(SCALARS.values()))


def test_the_page_reads_jobs() -> None:
    assert {"ExplanationJob", "ExplanationList", "MethodView", "MetricView", "ModelView", "Upload"} <= INTERFACES.keys()
    assert len(INTERFACES["ExplanationJob"]) > 20


@pytest.mark.parametrize("name", sorted(INTERFACES))
def test_what_the_page_reads_is_always_there(name: str) -> None:
    schema = SCHEMAS[name]
    for field, written in INTERFACES[name].items():
        assert field in schema["required"], field
        assert _accepts(written, schema["properties"][field]), f"{field}: {written}"


def test_the_states_of_a_job_are_all_known() -> None:
    text = (API / "types.ts").read_text()
    line = re.search(r"^export type JobStatus = (.+);$", text, re.MULTILINE)
    assert line is not None
    assert {word.strip(' "') for word in line[1].split("|")} == set(SCHEMAS["JobStatus"]["enum"])


def _sources_with(pattern: str) -> set[str]:
    return {path.name for path in (ROOT / "web/src/page").rglob("*.ts*") if re.search(pattern, path.read_text())}


def test_one_place_fetches_and_one_keeps_the_key() -> None:
    assert _sources_with(r"\bfetch\(|XMLHttpRequest|EventSource\(") == {"connection.ts"}
    assert _sources_with(r"(local|session)Storage|document\.cookie") == {"credentials.ts"}
