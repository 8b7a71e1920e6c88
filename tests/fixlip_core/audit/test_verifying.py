from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixlip_core.audit.canonical import canonical_bytes, parse_json
from fixlip_core.audit.checks import Check, Verdict
from fixlip_core.audit.record import NOT_REPRODUCIBLE, AuditContent, AuditRecord
from fixlip_core.audit.sealing import digest_of, seal
from fixlip_core.audit.signing import Signer
from fixlip_core.audit.verifying import verify_image, verify_record, verify_result
from fixlip_core.errors import FormatError
from fixlip_core.formats import to_json_bytes, to_npz_bytes
from tests.support.audit import changed, content_of, png_of_scene, resealed
from tests.support.explanations import example
from tests.support.fake_encoder import CARD

SIGNER = Signer.generate()
IMAGE = png_of_scene()
EXPLANATION = example()
CONTENT = content_of(CARD, EXPLANATION, image=IMAGE)
SIGNED = seal(CONTENT, SIGNER)
UNSIGNED = seal(CONTENT)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all that has no members."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not members:
        yield path
    for name, inner in members:
        yield from leaves(inner, (*path, name))


SEALED_LEAVES = [
    path for path in leaves(parse_json(SIGNED)) if path[0] not in ("digest", "signature", "format", "version")
]


def other(value: Any) -> Any:
    """Something of the same kind that is not the same."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str() if value.endswith("Z"):
            return value.replace("2026", "2027")
        case str():
            return ("0" if value[:1] != "0" else "1") + value[1:]
        case _:
            return "something"


def change_at(raw: dict[str, Any], path: tuple[str | int, ...]) -> None:
    *outer, last = path
    inner: Any = raw
    for name in outer:
        inner = inner[name]
    inner[last] = other(inner[last])


def verdicts(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.name: str(check.verdict) for check in checks}


def record_of(data: bytes) -> AuditRecord:
    record, _ = verify_record(data)
    assert record is not None
    return record


def test_a_record_agrees_with_itself() -> None:
    record, checks = verify_record(SIGNED, public_key=SIGNER.public_key)
    assert verdicts(checks) == {"record": "agrees", "signature": "agrees"}
    assert record is not None
    assert AuditContent.model_validate(record.model_dump(exclude={"digest", "signature"})) == CONTENT


def test_the_file_is_canonical_and_its_digest_is_that_of_the_rest() -> None:
    raw = parse_json(SIGNED)
    assert canonical_bytes(raw) == SIGNED
    rest = {name: value for name, value in raw.items() if name not in ("digest", "signature")}
    assert raw["digest"] == hashlib.sha256(canonical_bytes(rest)).hexdigest()
    assert seal(CONTENT, SIGNER) == SIGNED


def test_white_space_and_order_do_not_count() -> None:
    raw = json.loads(SIGNED)
    data = json.dumps(dict(reversed(raw.items())), indent=4).encode()
    _, checks = verify_record(data, public_key=SIGNER.public_key)
    assert set(verdicts(checks).values()) == {"agrees"}


@pytest.mark.parametrize("path", SEALED_LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_changed_the_record_tells(path: tuple[str | int, ...]) -> None:
    _, (check, *_) = verify_record(changed(SIGNED, lambda raw: change_at(raw, path)))
    assert (check.name, check.verdict) == ("record", Verdict.DISAGREES)
    assert "it was changed" in check.detail


@pytest.mark.parametrize("path", SEALED_LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_who_mends_the_digest_has_not_the_key(path: tuple[str | int, ...]) -> None:
    def change(raw: dict[str, Any]) -> None:
        change_at(raw, path)
        raw["digest"] = digest_of(raw)

    try:
        _, checks = verify_record(changed(SIGNED, change), public_key=SIGNER.public_key)
    except FormatError as error:
        assert "cannot be read" in str(error)  # noqa: PT017  # a member that can be nothing else
    else:
        is_caption = path[:2] in (("input", "caption"), ("input", "caption_sha256"))
        assert verdicts(checks) == {"record": "disagrees" if is_caption else "agrees", "signature": "disagrees"}


def test_what_was_added_is_told() -> None:
    record, checks = verify_record(changed(SIGNED, lambda raw: raw.update(more=1)))
    assert record is None
    assert verdicts(checks) == {"record": "disagrees"}


def test_a_changed_signature_is_told() -> None:
    value = parse_json(SIGNED)["signature"]["value"]
    forged = changed(SIGNED, lambda raw: raw["signature"].update(value=value[::-1]))
    _, checks = verify_record(forged, public_key=SIGNER.public_key)
    assert verdicts(checks) == {"record": "agrees", "signature": "disagrees"}
    assert "has not signed" in checks[1].detail


def test_a_signature_by_another_key_is_told() -> None:
    _, checks = verify_record(seal(CONTENT, Signer.generate()), public_key=SIGNER.public_key)
    assert verdicts(checks) == {"record": "agrees", "signature": "disagrees"}
    assert "not with the given one" in checks[1].detail


def test_a_signature_that_was_taken_away_is_told() -> None:
    _, checks = verify_record(UNSIGNED, public_key=SIGNER.public_key)
    assert verdicts(checks) == {"record": "agrees", "signature": "disagrees"}


@pytest.mark.parametrize(
    ("data", "detail"), [(UNSIGNED, "not signed"), (SIGNED, SIGNER.public_key.id)], ids=["unsigned", "signed"]
)
def test_without_a_key_no_signature_is_checked(data: bytes, detail: str) -> None:
    _, checks = verify_record(data)
    assert verdicts(checks) == {"record": "agrees", "signature": "not checked"}
    assert detail in checks[1].detail


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no JSON"),
        (b"{}", "no audit record"),
        (b'{"format": "fixlip-audit", "version": 2}', "of version 2"),
        (resealed(SIGNED, input={"pixels_sha256": "short"}), "cannot be read: input.pixels_sha256"),
    ],
)
def test_what_is_no_record_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        verify_record(data)


class TestImage:
    record = record_of(UNSIGNED)

    def test_the_file_that_was_sent(self) -> None:
        check, picture = verify_image(self.record, IMAGE)
        assert (check.verdict, check.detail) == (Verdict.AGREES, "it is the file that was sent")
        assert picture is not None
        assert picture.size == self.record.input.image_size_px

    def test_another_file_of_the_picture(self) -> None:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(IMAGE)).save(buffer, format="BMP")
        check, picture = verify_image(self.record, buffer.getvalue())
        assert check.verdict is Verdict.AGREES
        assert "another file of the very picture" in check.detail
        assert picture is not None

    def test_another_picture(self) -> None:
        pixels = np.array(Image.open(io.BytesIO(IMAGE)))
        pixels[0, 0, 0] ^= 1
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="PNG")
        check, picture = verify_image(self.record, buffer.getvalue())
        assert (check.verdict, picture) == (Verdict.DISAGREES, None)
        assert "neither the file nor the picture" in check.detail

    def test_no_picture(self) -> None:
        check, picture = verify_image(self.record, b"no picture")
        assert (check.verdict, picture) == (Verdict.DISAGREES, None)

    def test_the_file_that_was_sent_with_other_pixels_in_it(self) -> None:
        record = record_of(resealed(UNSIGNED, input={"pixels_sha256": "0" * 64}))
        check, picture = verify_image(record, IMAGE)
        assert (check.verdict, picture) == (Verdict.UNKNOWN, None)
        assert "Pillow" in check.detail


class TestResult:
    record = record_of(UNSIGNED)

    def test_the_file_of_the_record(self) -> None:
        check, explanation = verify_result(self.record, to_npz_bytes(EXPLANATION))
        assert (check.verdict, check.detail) == (Verdict.AGREES, "it is the file interactions.npz of the record")
        assert explanation is not None
        assert (explanation.second == EXPLANATION.second).all()

    def test_another_file_of_the_values(self) -> None:
        check, explanation = verify_result(self.record, to_json_bytes(EXPLANATION))
        assert check.verdict is Verdict.AGREES
        assert "another file" in check.detail
        assert explanation is not None

    def test_another_value(self) -> None:
        first = EXPLANATION.first.copy()
        first[3] = np.nextafter(first[3], 0)
        check, explanation = verify_result(self.record, to_npz_bytes(replace(EXPLANATION, first=first)))
        assert (check.verdict, explanation) == (Verdict.DISAGREES, None)
        assert "not those of the record" in check.detail

    @pytest.mark.parametrize("data", [b"", b"PK damaged", b"{}"])
    def test_no_result(self, data: bytes) -> None:
        check, explanation = verify_result(self.record, data)
        assert (check.verdict, explanation) == (Verdict.DISAGREES, None)


def test_what_may_differ_is_told_apart() -> None:
    assert AuditRecord.model_fields.keys() > NOT_REPRODUCIBLE
