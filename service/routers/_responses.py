"""How responses are documented."""

from __future__ import annotations

from typing import Any, Final

from service.problems import PROBLEM_MEDIA_TYPE

__all__ = ["problems", "stored"]

_PROBLEM: Final = {"content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def problems(described: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of problems by status, and one for any other error."""
    documented: dict[int | str, dict[str, Any]] = {
        status: {
            "description": text,
            **_PROBLEM,
            **({"headers": _RETRY_AFTER} if status == 503 else {}),
        }
        for status, text in described.items()
    }
    documented["default"] = {"description": "Any other error.", **_PROBLEM}
    return documented


def stored(description: str, *, media_type: str | None = None) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of a stored file that never changes; its schema is the response model's, or bytes."""
    etag = {"ETag": {"description": "Strong: the content's digest.", "schema": {"type": "string"}}}
    found: dict[str, Any] = {"description": description, "headers": etag}
    if media_type is not None:
        found["content"] = {media_type: {"schema": {"type": "string", "contentMediaType": media_type}}}
    return {200: found, 304: {"description": "The copy named in If-None-Match is still good.", "headers": etag}}
