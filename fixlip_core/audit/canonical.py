"""JSON in one form alone (RFC 8785, the JSON Canonicalization Scheme), so that a digest of it means something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import rfc8785

from fixlip_core.errors import FormatError

__all__ = ["canonical_bytes", "parse_json"]


def canonical_bytes(value: Mapping[str, Any]) -> bytes:
    """The canonical form of a JSON object: UTF-8, members sorted, numbers as ECMAScript writes them, no white space.

    Raises:
        FormatError: it has something that JSON has not, or an integer beyond 2^53, which not every reader keeps.
    """
    try:
        return rfc8785.dumps(dict(value))
    except (rfc8785.CanonicalizationError, ValueError) as error:
        raise FormatError(f"this has no canonical form: {error}") from error


def parse_json(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``, if every reader would see the same in it.

    Raises:
        FormatError: it is no JSON object, names a member twice, or has a nan or an infinity.
    """
    try:
        value = json.loads(data, object_pairs_hook=_members, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"this is no JSON that can be relied on: {error}") from error
    if not isinstance(value, dict):
        raise FormatError(f"this is no JSON object but {type(value).__name__}")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {again!r} is there twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
