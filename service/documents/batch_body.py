"""The body of a batch in OpenAPI's words."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from service.batches.bodies import JSON_LINES, MANIFEST_FIELDS
from service.batches.requests import (
    BatchItemRequest,
    BatchOptions,
    BatchPairRequest,
    ManifestItem,
    ManifestPair,
)
from service.documents.request_body import EXAMPLE_CAPTION, EXAMPLE_IMAGE, REF_TEMPLATE
from service.requests import FORM, JSON

__all__ = ["batch_request_body", "batch_schemas"]

_PART: Final = {"type": "string", "contentMediaType": "application/octet-stream"}
_OF_PAIRS: Final = ("models", "methods", "seeds")
_MANIFEST: Final = (
    "A file that ends with `.json`, `.jsonl` or `.csv`: a batch as JSON, items as JSON lines, or a table with the "
    "columns `image`, `caption` and others of an item; with `models`, `methods` or `seeds` beside it, pairs. `image` "
    "names a file in `images`."
)


def batch_schemas() -> dict[str, dict[str, Any]]:
    """The parts of a batch."""
    kinds = (BatchItemRequest, BatchPairRequest, ManifestItem, ManifestPair, BatchOptions)
    _, schemas = TypeAdapter.json_schemas(
        [(kind, "validation", TypeAdapter(kind)) for kind in kinds], ref_template=REF_TEMPLATE
    )
    found: dict[str, dict[str, Any]] = schemas["$defs"]
    found.pop("BatchOptions")
    return found


def _options() -> dict[str, Any]:
    schema = BatchOptions.model_json_schema(ref_template=REF_TEMPLATE)
    properties: dict[str, Any] = schema["properties"]
    return properties


def _document(kind: str, part: str, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """A batch of items, or of pairs, in one JSON document."""
    options = {name: schema for name, schema in _options().items() if name not in leave_out}
    lines = {"type": "array", "minItems": 1, "items": {"$ref": REF_TEMPLATE.format(model=part)}}
    return {
        "type": "object",
        "properties": {kind: lines, **options},
        "required": [kind],
        "additionalProperties": False,
    }


def _form() -> dict[str, Any]:
    return {
        "title": "BatchForm",
        "type": "object",
        "properties": {
            "manifest": {**_PART, "description": _MANIFEST},
            "images": {**_PART, "description": "A zip of the images that the manifest names."},
            **_options(),
        },
        "required": ["manifest"],
        "additionalProperties": False,
    }


def batch_request_body() -> dict[str, Any]:
    """The batch operation's body: a document with everything, JSON lines, or a form with a manifest and images."""
    items, pairs = _document("items", "BatchItemRequest", _OF_PAIRS), _document("pairs", "BatchPairRequest")
    content = {
        JSON: {"schema": {"title": "BatchRequest", "oneOf": [items, pairs]}, "examples": _examples()},
        JSON_LINES: {
            "schema": {
                "type": "string",
                "contentMediaType": JSON_LINES,
                "description": "`BatchItemRequest`s, one a line.",
            },
            "example": f'{{"custom_id":"first","image":"{EXAMPLE_IMAGE}","caption":"{EXAMPLE_CAPTION}"}}\n',
        },
        FORM: {
            "schema": _form(),
            "encoding": {name: {"contentType": JSON} for name in MANIFEST_FIELDS}
            | {
                "manifest": {"contentType": f"{JSON}, {JSON_LINES}, text/csv"},
                "images": {"contentType": "application/zip"},
            },
        },
    }
    return {"required": True, "content": content}


def _examples() -> dict[str, dict[str, Any]]:
    pair = {"image": EXAMPLE_IMAGE, "caption": EXAMPLE_CAPTION}
    methods = [{"method": "fixlip", "params": {"budget": 256}}, {"method": "grad_eclip"}]
    compared = {"pairs": [{"custom_id": "first", **pair}], "methods": methods, "evaluate": ["faithfulness"]}
    named = [{"custom_id": f"budget-{budget}", **pair, "params": {"budget": budget}} for budget in (64, 128)]
    return {
        "pairs": {"summary": "pairs, each explained by two methods", "value": compared},
        "items": {"summary": "explanations, each with its own parameters", "value": {"items": named}},
    }
