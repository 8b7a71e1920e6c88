"""Is a record what it was when it was made, and are an image and a result the ones it speaks of? Computes no passes."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

from PIL import Image
from pydantic import ValidationError

from fixlip_core.audit.canonical import parse_json
from fixlip_core.audit.checks import Check, Verdict
from fixlip_core.audit.digests import pixels_sha256, text_sha256, values_sha256
from fixlip_core.audit.record import AuditRecord
from fixlip_core.audit.sealing import digest_of, sealed_bytes
from fixlip_core.audit.signing import PublicKey
from fixlip_core.errors import FormatError, InvalidImageError
from fixlip_core.explanation import Explanation
from fixlip_core.formats import from_json_bytes, from_npz_bytes
from fixlip_core.images import decode_image

__all__ = ["verify_image", "verify_record", "verify_result"]

_NPZ_MAGIC = b"PK"


def verify_record(data: bytes, *, public_key: PublicKey | None = None) -> tuple[AuditRecord | None, tuple[Check, ...]]:
    """Check a record's digest and signature.

    Args:
        data: the record's file; its white space and the order of its members do not count.
        public_key: whose signature it must have; None: anybody's, or none.

    Returns:
        The record, and what was found; no record where one that was changed cannot even be read.

    Raises:
        FormatError: this is no record, or one of a later version.
    """
    raw = parse_json(data)
    if raw.get("format") != "fixlip-audit":
        raise FormatError("this is no audit record: its `format` is not 'fixlip-audit'")
    if raw.get("version") != 1:
        raise FormatError(f"this audit record is of version {raw.get('version')!r}; only 1 can be read here")
    sealed = _check_digest(raw)
    try:
        record = AuditRecord.model_validate(raw)
    except ValidationError as error:
        if sealed.verdict is Verdict.DISAGREES:
            return None, (sealed,)
        raise FormatError(f"this audit record cannot be read: {_first_fault(error)}") from error
    if sealed.verdict is Verdict.AGREES and text_sha256(record.input.caption) != record.input.caption_sha256:
        sealed = Check("record", Verdict.DISAGREES, "the caption has not the digest that the record says")
    return record, (sealed, _check_signature(record, raw, public_key))


def verify_image(record: AuditRecord, data: bytes) -> tuple[Check, Image.Image | None]:
    """Check that an image is the one that was explained: the file that was sent, or another of the same picture.

    Args:
        record: the record.
        data: the image's file.

    Returns:
        What was found, and the picture if it is the one.
    """
    try:
        # The sizes that are accepted are the service's business, which has accepted this one.
        picture = decode_image(data, max_bytes=sys.maxsize, max_pixels=sys.maxsize)
    except InvalidImageError as error:
        return Check("image", Verdict.DISAGREES, str(error)), None
    is_file = hashlib.sha256(data).hexdigest() == record.input.image_sha256
    if pixels_sha256(picture) == record.input.pixels_sha256:
        found = "it is the file that was sent" if is_file else "it is another file of the very picture that was sent"
        return Check("image", Verdict.AGREES, found), picture
    if is_file:
        problem = "it is the file that was sent, but this version of Pillow finds other pixels in it"
        return Check("image", Verdict.UNKNOWN, problem), None
    return Check("image", Verdict.DISAGREES, "it is neither the file nor the picture that was sent"), None


def verify_result(record: AuditRecord, data: bytes) -> tuple[Check, Explanation | None]:
    """Check that a stored explanation is the one that the record speaks of.

    Args:
        record: the record.
        data: ``interactions.npz`` or ``interactions.json``.

    Returns:
        What was found, and the explanation if it is the one.
    """
    is_npz = data.startswith(_NPZ_MAGIC)
    try:
        explanation = from_npz_bytes(data) if is_npz else from_json_bytes(data)
    except FormatError as error:
        return Check("result", Verdict.DISAGREES, str(error)), None
    if values_sha256(explanation) != record.values.sha256:
        return Check("result", Verdict.DISAGREES, "its values are not those of the record"), None
    name = f"interactions.{'npz' if is_npz else 'json'}"
    if hashlib.sha256(data).hexdigest() == record.files.get(name):
        return Check("result", Verdict.AGREES, f"it is the file {name} of the record"), explanation
    return Check("result", Verdict.AGREES, "it is another file of the record's very values"), explanation


def _check_digest(raw: dict[str, Any]) -> Check:
    recorded, found = raw.get("digest"), digest_of(raw)
    if recorded == found:
        return Check("record", Verdict.AGREES, f"its digest is that of what it says, {found}")
    return Check("record", Verdict.DISAGREES, f"it was changed: what it says has the digest {found}, not {recorded}")


def _check_signature(record: AuditRecord, raw: dict[str, Any], key: PublicKey | None) -> Check:
    signature = record.signature
    if signature is None:
        verdict = Verdict.SKIPPED if key is None else Verdict.DISAGREES
        return Check("signature", verdict, "the record is not signed")
    if key is None:
        detail = f"it is signed with the key {signature.key_id}; give the public key to check that"
        return Check("signature", Verdict.SKIPPED, detail)
    if signature.key_id != key.id:
        detail = f"it is signed with the key {signature.key_id}, not with the given one, {key.id}"
        return Check("signature", Verdict.DISAGREES, detail)
    if not key.has_signed(sealed_bytes(raw), signature):
        return Check("signature", Verdict.DISAGREES, f"the key {key.id} has not signed what the record says")
    return Check("signature", Verdict.AGREES, f"the key {key.id} has signed what the record says")


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
