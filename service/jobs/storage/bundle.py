"""A bundle: files that belong together, written and removed as one object.

Its first line is JSON that lists the files, and the files follow one after another. The digest of that line names the
bundle, and the line has the digest of each file, so that any part of it can be checked by its name alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json

__all__ = ["Bundle", "Contents", "Entry", "pack", "unpack"]

_FORMAT: Final = 1


class Bundle(BaseModel):
    """Which bundle, and how much it takes.

    Attributes:
        digest: SHA-256 of its first line, in hex: its name.
        size_bytes: of all of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a bundle.

    Attributes:
        start: where it begins in the bundle, bytes.
        size_bytes: how long it is.
        sha256: digest of its bytes, in hex.
    """

    start: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What the first line of a bundle says: its files by name."""

    entries: Mapping[str, Entry]

    @classmethod
    def of(cls, line: bytes, *, digest: str) -> Self:
        """The contents in ``line``, the first of the bundle of that digest.

        Raises:
            ValueError: the line is not that bundle's.
        """
        if hashlib.sha256(line).hexdigest() != digest:
            raise ValueError("its first line has another digest")
        entries, start = {}, len(line)
        for name, size_bytes, sha256 in from_json(line)["files"]:
            entries[name] = Entry(start, size_bytes, sha256)
            start += size_bytes
        return cls(entries)


def pack(files: Mapping[str, bytes]) -> tuple[Bundle, bytes]:
    """The bundle of these files, and its bytes; the same files give the same bundle."""
    listed = [(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in sorted(files.items())]
    line = to_json({"format": _FORMAT, "files": listed}) + b"\n"
    packed = b"".join([line, *(files[name] for name, _, _ in listed)])
    return Bundle(digest=hashlib.sha256(line).hexdigest(), size_bytes=len(packed)), packed


def unpack(packed: bytes, *, digest: str) -> dict[str, bytes]:
    """The files of the bundle of that digest.

    Raises:
        ValueError: the bytes are not that bundle's.
    """
    line = packed[: packed.find(b"\n") + 1]
    files = {}
    for name, entry in Contents.of(line, digest=digest).entries.items():
        files[name] = packed[entry.start : entry.start + entry.size_bytes]
        if hashlib.sha256(files[name]).hexdigest() != entry.sha256:
            raise ValueError(f"its file {name!r} has another digest")
    return files
