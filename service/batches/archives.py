"""The zip of images that comes with a manifest, read without trust.

Nothing of it is unpacked to a disk: members are looked up by the names that the manifest has, and read into memory one
at a time, so that a name that climbs out of its folder leads nowhere.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO, Final

from fixlip_core.errors import InputError, InvalidImageError
from service.problems import ProblemError

__all__ = ["MAX_MEMBERS", "ImageArchive"]

MAX_MEMBERS: Final = 20_000

_MAX_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
_END: Final = struct.Struct("<4s4H2LH")
_END_SIGNATURE: Final = b"PK\x05\x06"
_MEMBER_SIGNATURE: Final = b"PK\x01\x02"
_LARGE_SIGNATURE: Final = b"PK\x06\x07"
_LARGE_BYTES: Final = 20
_MAX_COMMENT_BYTES: Final = 65_535
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_IS_ENCRYPTED: Final = 0x1
_UNPACKED_TIMES: Final = 4
_CHUNK_BYTES: Final = 262_144
# What zipfile raises about a file that is damaged, made to do harm, or of a kind that it does not know.
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


class ImageArchive:
    """A zip's images by name.

    Args:
        file: the zip.
        size_bytes: its length.
        max_image_bytes: longest image.

    Raises:
        ProblemError: it is no zip, or one of more members than are read.
    """

    def __init__(self, file: IO[bytes], *, size_bytes: int, max_image_bytes: int) -> None:
        _check_directory(file, size_bytes)
        try:
            self._zip = zipfile.ZipFile(file)
        except _UNREADABLE as error:
            raise _malformed(f"images is not a zip that can be read: {error}") from error
        self._max_image_bytes = max_image_bytes
        # Pictures hardly get smaller in a zip, so what gets much larger out of it is no zip of pictures.
        self._left_bytes = _UNPACKED_TIMES * size_bytes + max_image_bytes

    def read(self, name: str) -> bytes:
        """The member of this name.

        Raises:
            InvalidImageError: it is too large, damaged, or packed in a way that is not read.
            InputError: there is no such member.
            ProblemError: all that was read together is too much for pictures.
        """
        try:
            member = self._zip.getinfo(name)
        except KeyError:
            raise InputError(f"images has no file {name!r}", field="image", code="image_not_in_archive") from None
        if member.file_size > self._max_image_bytes:
            raise self._too_large(name)
        if member.compress_type not in _METHODS or member.flag_bits & _IS_ENCRYPTED:
            raise InvalidImageError(
                f"{name!r} is encrypted, or packed in a way that is not read; store or deflate it",
                code="archive_member_unreadable",
            )
        return self._unpack(member)

    def _unpack(self, member: zipfile.ZipInfo) -> bytes:
        parts, length = [], 0
        try:
            with self._zip.open(member) as file:
                while part := file.read(_CHUNK_BYTES):
                    parts.append(part)
                    length += len(part)
                    if length > self._max_image_bytes:
                        raise self._too_large(member.filename)
        except _UNREADABLE as error:
            raise InvalidImageError(
                f"{member.filename!r} cannot be unpacked: {error}", code="archive_member_unreadable"
            ) from error
        self._left_bytes -= length
        if self._left_bytes < 0:
            raise _malformed("images has far more bytes unpacked than packed, which pictures have not")
        return b"".join(parts)

    def _too_large(self, name: str) -> InvalidImageError:
        message = f"{name!r} has more than the {self._max_image_bytes:,} bytes that are accepted"
        return InvalidImageError(message, code="image_too_large")


def _check_directory(file: IO[bytes], size_bytes: int) -> None:
    """Refuse a zip whose list of members would take too much memory, before it is read.

    Raises:
        ProblemError: it has too many members, or no end that can be read.
    """
    start = max(0, size_bytes - _END.size - _MAX_COMMENT_BYTES - _LARGE_BYTES)
    file.seek(start)
    tail = file.read()
    at = len(tail) - _END.size  # as zipfile looks for it: without a comment, else the last that there is
    if at < 0 or tail[at : at + 4] != _END_SIGNATURE or tail[-2:] != b"\0\0":
        at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise _malformed("images is not a zip, or not a whole one")
    directory_bytes = _END.unpack_from(tail, at)[5]
    is_large = tail[max(0, at - _LARGE_BYTES) : at].startswith(_LARGE_SIGNATURE)
    is_long = is_large or directory_bytes > _MAX_DIRECTORY_BYTES
    # zipfile goes by the list's bytes, whatever number of members is said beside them.
    if is_long or _n_members(file, start + at, directory_bytes) > MAX_MEMBERS:
        raise ProblemError(
            413, "archive_too_large", f"images has more members than the {MAX_MEMBERS:,} that a zip may have here"
        )
    file.seek(0)


def _n_members(file: IO[bytes], end: int, directory_bytes: int) -> int:
    """How many members a list has, at most, that ends at ``end``."""
    file.seek(max(0, end - directory_bytes))
    return file.read(directory_bytes).count(_MEMBER_SIGNATURE)


def _malformed(message: str) -> ProblemError:
    return ProblemError(400, "malformed_archive", message)
