from __future__ import annotations

import hashlib
import json

import pytest

from service.jobs.storage.bundle import Bundle, Contents, pack, unpack

FILES = {"maps/graph.png": b"\x89PNG\n\x00", "result.json": b"{}\n", "empty": b""}


def test_files_come_out_as_they_went_in() -> None:
    bundle, packed = pack(FILES)
    assert unpack(packed, digest=bundle.digest) == FILES
    assert bundle.size_bytes == len(packed)


def test_the_same_files_are_the_same_bundle_in_whatever_order() -> None:
    assert pack(FILES) == pack(dict(reversed(FILES.items())))


@pytest.mark.parametrize(
    "other",
    [{**FILES, "result.json": b"{ }\n"}, {**FILES, "more": b""}, {"empty": b""}, {"a": FILES["result.json"]}],
    ids=["bytes", "one more", "fewer", "name"],
)
def test_other_files_are_another_bundle(other: dict[str, bytes]) -> None:
    assert pack(other)[0].digest != pack(FILES)[0].digest


def test_the_first_line_names_the_bundle_and_says_where_each_file_is() -> None:
    bundle, packed = pack(FILES)
    line = packed[: packed.index(b"\n") + 1]
    assert hashlib.sha256(line).hexdigest() == bundle.digest
    assert [name for name, _, _ in json.loads(line)["files"]] == sorted(FILES)
    for name, entry in Contents.of(line, digest=bundle.digest).entries.items():
        assert packed[entry.start : entry.start + entry.size_bytes] == FILES[name]
        assert hashlib.sha256(FILES[name]).hexdigest() == entry.sha256


def test_damage_anywhere_is_found() -> None:
    bundle, packed = pack(FILES)
    for at in range(len(packed)):
        damaged = packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]
        with pytest.raises(ValueError, match="digest"):
            unpack(damaged, digest=bundle.digest)


@pytest.mark.parametrize("packed", [b"", b"\n", b"no line", b"{}\n"])
def test_what_is_no_bundle_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="digest"):
        unpack(packed, digest="0" * 64)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "0" * 63, "0" * 65, "A" * 64, f"{'0' * 64}\n"])
def test_only_digests_name_bundles(digest: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        Bundle(digest=digest, size_bytes=1)
