"""What Schemathesis cannot invent: pictures, and models and methods that there are. Its own client loads this file.

Only requests that are to be accepted are changed, and only where they would be refused for that alone; everything that
is wrong on purpose stays as it is.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

from fixlip_core.images import FORMATS

__all__: list[str] = []


def _png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (6, 4), "red").save(stream, "PNG")
    return stream.getvalue()


PNG = _png()

schemathesis.openapi.media_type(
    "image/png",
    st.sampled_from([PNG]),
    aliases=["image/*", *(f"image/{name.lower()}" for name in FORMATS if name != "PNG")],
)


@schemathesis.serializer("application/jsonl")
def as_it_is(context: Any, value: Any) -> bytes:
    """JSON lines: of a schema or an example, they are a text."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Called with every request before it is sent."""
    makes = {"createBatch": _accepted_batch, "createExplanation": _accepted}
    make = makes.get(case.operation.definition.raw.get("operationId"))
    is_right = case.meta is not None and case.meta.generation.mode.is_positive
    if make is not None and is_right and case.media_type == "application/json" and isinstance(case.body, dict):
        case.body = make(case.body)


def _accepted_batch(body: dict[str, Any]) -> dict[str, Any]:
    """The same batch of such requests, none of which has a name that another may have."""
    kind = "pairs" if "pairs" in body else "items"
    changed = {name: value for name, value in body.items() if name not in ("models", "methods", "seeds")}
    lines = body.get(kind)
    if isinstance(lines, list) and all(isinstance(line, dict) for line in lines):
        named = [{name: value for name, value in line.items() if name != "custom_id"} for line in lines]
        changed[kind] = [_accepted(line) for line in named]
    return changed


def _accepted(body: dict[str, Any]) -> dict[str, Any]:
    """The same request with one picture, and with a caption, a model and a method that there are."""
    changed = {name: value for name, value in body.items() if name not in ("image_id", "image_url", "model", "webhook")}
    changed["image"] = base64.b64encode(PNG).decode()
    if not any(character.isalnum() for character in str(changed.get("caption"))):
        changed["caption"] = "a red circle"
    if changed.get("method", "fixlip") != "fixlip":  # the others read an attention that the tests' encoder has not
        del changed["method"]
        changed.pop("params", None)
    return changed
