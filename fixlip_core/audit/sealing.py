"""From what a record says to the file that can be checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from fixlip_core.audit.canonical import canonical_bytes
from fixlip_core.audit.record import AuditContent
from fixlip_core.audit.signing import Signer

__all__ = ["digest_of", "seal", "sealed_bytes"]

_SEAL: Final = frozenset({"digest", "signature"})


def sealed_bytes(record: Mapping[str, Any]) -> bytes:
    """What a record's digest and signature are of: the canonical form of all its other members.

    Raises:
        FormatError: it has no canonical form.
    """
    return canonical_bytes({name: value for name, value in record.items() if name not in _SEAL})


def digest_of(record: Mapping[str, Any]) -> str:
    """The digest that a record should have, in hex.

    Raises:
        FormatError: it has no canonical form.
    """
    return hashlib.sha256(sealed_bytes(record)).hexdigest()


def seal(content: AuditContent, signer: Signer | None = None) -> bytes:
    """The record's file: canonical JSON with its digest, signed where there is a signer.

    Raises:
        FormatError: it has no canonical form.
    """
    record = content.model_dump(mode="json")
    signed = sealed_bytes(record)
    record["digest"] = hashlib.sha256(signed).hexdigest()
    record["signature"] = signer.sign(signed).model_dump(mode="json") if signer else None
    return canonical_bytes(record)
