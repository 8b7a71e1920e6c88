from __future__ import annotations

import io
import struct
import zipfile

import pytest

from fixlip_core.errors import InputError, InvalidImageError
from service.batches.archives import MAX_MEMBERS, ImageArchive
from service.problems import ProblemError

MOST = 10_000
MEMBER = b"PK\x01\x02"


def zipped(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def opened(data: bytes) -> ImageArchive:
    return ImageArchive(io.BytesIO(data), size_bytes=len(data), max_image_bytes=MOST)


@pytest.mark.parametrize("comment", [b"", b"of pictures"])
def test_a_member_is_read_by_its_name(comment: bytes) -> None:
    archive = opened(zipped({"a.png": b"first", "folder/b.png": b"second"}, comment=comment))

    assert archive.read("folder/b.png") == b"second"
    assert archive.read("a.png") == b"first"


@pytest.mark.parametrize("name", ["c.png", "../a.png", "/a.png", ""])
def test_a_name_that_is_not_there_leads_nowhere(name: str) -> None:
    with pytest.raises(InputError, match="has no file") as caught:
        opened(zipped({"a.png": b"first"})).read(name)
    assert (caught.value.code, caught.value.field) == ("image_not_in_archive", "image")


def test_a_member_that_climbs_is_bytes_like_others() -> None:
    assert opened(zipped({"../../etc/passwd": b"first"})).read("../../etc/passwd") == b"first"


def test_a_member_that_says_it_is_too_large_is_not_unpacked() -> None:
    with pytest.raises(InvalidImageError) as caught:
        opened(zipped({"a.png": bytes(MOST + 1)})).read("a.png")
    assert caught.value.code == "image_too_large"


def test_a_member_that_says_it_is_small_is_stopped() -> None:
    data = zipped({"a.png": bytes(50 * MOST)})
    real, said = struct.pack("<L", 50 * MOST), struct.pack("<L", 10)
    with pytest.raises(InvalidImageError):
        opened(data.replace(real, said)).read("a.png")


def test_a_zip_of_much_more_than_pictures_is_a_bomb() -> None:
    archive = opened(zipped({f"{number}.png": bytes(MOST) for number in range(9)}))

    def read_all() -> None:
        for number in range(9):
            archive.read(f"{number}.png")

    with pytest.raises(ProblemError, match="far more bytes unpacked") as caught:
        read_all()
    assert (caught.value.status, caught.value.code) == (400, "malformed_archive")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_only_plain_ways_to_pack_are_read(method: int) -> None:
    with pytest.raises(InvalidImageError) as caught:
        opened(zipped({"a.png": b"first"}, method=method)).read("a.png")
    assert caught.value.code == "archive_member_unreadable"


def test_a_damaged_member_is_told() -> None:
    data = bytearray(zipped({"a.png": bytes(range(256)) * 8}, method=zipfile.ZIP_STORED))
    data[200] ^= 0xFF
    with pytest.raises(InvalidImageError) as caught:
        opened(bytes(data)).read("a.png")
    assert caught.value.code == "archive_member_unreadable"


def _end(members: int, directory_bytes: int) -> bytes:
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, members, members, directory_bytes, 0, 0)


def _with_flag(flag: int) -> bytes:
    data = bytearray(zipped({"a.png": b"first"}))
    data[data.index(MEMBER) + 8] |= flag
    return bytes(data)


def _member(name: bytes = b"", extra: bytes = b"", *, offset: int = 0) -> bytes:
    sizes = (0, 0, 0, len(name), len(extra), 0, 0, 0, 0, offset)
    return struct.pack("<4s6H3L5H2L", MEMBER, 20, 20, 0, 0, 0, 33, *sizes) + name + extra


def _far_away() -> bytes:
    directory = _member(b"a.png", struct.pack("<HHQ", 1, 8, 1 << 63), offset=0xFFFFFFFF)
    return directory + _end(1, len(directory))


@pytest.mark.parametrize(
    "data", [_with_flag(0x20), _with_flag(0x40), _far_away()], ids=["patched", "strongly encrypted", "far away"]
)
def test_a_member_of_a_kind_that_is_not_read_is_told(data: bytes) -> None:
    with pytest.raises(InvalidImageError) as caught:
        opened(data).read("a.png")
    assert caught.value.code == "archive_member_unreadable"


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", bytes(100), b"PK\x05\x06", zipped({"a": b"1"})[:-30]],
    ids=["empty", "text", "zeros", "an end alone", "cut off"],
)
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(ProblemError) as caught:
        opened(data)
    assert (caught.value.status, caught.value.code) == (400, "malformed_archive")


@pytest.mark.parametrize(
    "data",
    [
        _member() * (MAX_MEMBERS + 1) + _end(1, (MAX_MEMBERS + 1) * len(_member())),
        _end(1, 1 << 30),
        b"PK\x06\x07" + bytes(16) + _end(1, 10),
    ],
    ids=["members", "directory", "zip64"],
)
def test_a_list_of_members_that_takes_much_memory_is_not_read(data: bytes) -> None:
    with pytest.raises(ProblemError) as caught:
        opened(data)
    assert (caught.value.status, caught.value.code) == (413, "archive_too_large")
