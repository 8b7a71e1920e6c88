"""How responses are documented."""

from __future__ import annotations

from typing import Any, Final

from service.problems import PROBLEM_MEDIA_TYPE
from service.requests import JSON

__all__ = ["guards", "problems", "stored"]

_PROBLEM: Final = {"content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_RATE_LIMIT: Final = {
    "RateLimit-Policy": {
        "description": 'What there is: `"requests_per_min";q=9;w=60`.',
        "schema": {"type": "string"},
    },
    "RateLimit": {"description": 'What is left: `"requests_per_min";r=8;t=30`.', "schema": {"type": "string"}},
}


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


def guards(prefix: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses to whoever is not let in, of the routes under a prefix: those of `/v1` take keys, no others."""
    if not prefix.startswith("/v1/"):
        return {}
    challenge = {"WWW-Authenticate": {"description": "`Bearer`, and what is wrong.", "schema": {"type": "string"}}}
    return {
        401: {"description": "There is no API key, or one that is not good.", "headers": challenge, **_PROBLEM},
        403: {
            "description": "The key has no scope for this; or there are no keys, and only the service's own machine is "
            "answered.",
            "headers": challenge,
            **_PROBLEM,
        },
        429: {
            "description": "A quota is used up; `errors` names it.",
            "headers": _RATE_LIMIT | _RETRY_AFTER,
            **_PROBLEM,
        },
    }


def stored(description: str, *, media_type: str | None = None) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of a stored file that never changes; its schema is the response model's, or bytes."""
    etag = {"ETag": {"description": "Strong: the content's digest.", "schema": {"type": "string"}}}
    ranges = {"Accept-Ranges": {"description": "`bytes`.", "schema": {"type": "string"}}}
    bounds = {"Content-Range": {"description": "Which part, of how many bytes.", "schema": {"type": "string"}}}
    content: dict[str, Any] = {}  # of a model: FastAPI adds the whole's, and a part of JSON has no schema
    if media_type is not None:
        schema = {"type": "object"} if media_type == JSON else {"type": "string", "contentMediaType": media_type}
        content["content"] = {media_type: {"schema": schema}}
    return {
        200: {"description": description, "headers": etag | ranges, **content},
        206: {"description": "The part that `Range` asks for.", "headers": etag | ranges | bounds, **content},
        304: {"description": "The copy named in If-None-Match is still good.", "headers": etag},
    }
