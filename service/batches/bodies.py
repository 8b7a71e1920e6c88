"""A batch's body, of any content type, as lines that can be read one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, Final, Literal, cast

from fastapi import Request
from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.datastructures import FormData, UploadFile

from fixlip_core.errors import InputError
from service.batches.archives import ImageArchive
from service.batches.manifests import MAX_DOCUMENT_BYTES, read_csv, read_document, read_json, read_lines
from service.batches.requests import (
    Asked,
    BatchItemRequest,
    BatchOptions,
    BatchPairRequest,
    ItemLine,
    ManifestItem,
    ManifestPair,
    PairLine,
    Ways,
    asked_by,
)
from service.jobs.errors import StorageUnavailableError
from service.problems import ProblemError
from service.requests import FORM, JSON, open_form
from service.settings import MAX_FIELDS_BYTES, ServiceSettings

__all__ = ["JSON_LINES", "MANIFEST_FIELDS", "BatchBody", "ReceivedBatch", "receive"]

JSON_LINES: Final = "application/jsonl"
MANIFEST_FIELDS: Final = ("models", "methods", "seeds", "evaluate", "maps", "metadata", "webhook")
"""Fields of a form beside its files: each is a text of JSON."""

_FILES: Final = ("manifest", "images")
_KEPT_IN_MEMORY_BYTES: Final = 1_048_576
_HASHED_BYTES: Final = 1_048_576
_TYPES: Final = {JSON: "json", JSON_LINES: "jsonl", "application/x-ndjson": "jsonl", "text/csv": "csv"}
_ENDINGS: Final = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}

Kind = Literal["items", "pairs"]


@dataclass(frozen=True, slots=True)
class BatchBody:
    """A batch as it was sent, checked no further than its form.

    Attributes:
        kind: what its lines are.
        lines: them, one after the other; they can be read once.
        options: what is said of all of them.
        ways: how each of its pairs is explained.
        archive: the files that come with a manifest.
        is_manifest: whether lines name files, instead of bringing their images in base64.
    """

    kind: Kind
    lines: Iterable[Any]
    options: BatchOptions
    ways: Ways
    archive: ImageArchive | None
    is_manifest: bool

    def asked_by(self, place: str, number: int, value: Any) -> Iterator[Asked]:
        """The explanations that a line asks for.

        Raises:
            pydantic.ValidationError: the line is not what it must be.
        """
        if self.kind == "items":
            item = (_MANIFEST_ITEM if self.is_manifest else _ITEM).validate_python(value)
            yield asked_by(place, number, item, self.options)
        else:
            pair = (_MANIFEST_PAIR if self.is_manifest else _PAIR).validate_python(value)
            yield from self.ways.of(place, number, pair)


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """The files and fields of a request, put aside on the disk if they are long.

    Attributes:
        format: of the document: ``json``, ``jsonl`` or ``csv``.
        document: what has the lines.
        images: the zip that came with it.
        fields: the other fields of a form; empty where the document is the body.
        is_manifest: whether the document came in a form.
    """

    format: str
    document: IO[bytes]
    images: IO[bytes] | None
    fields: Mapping[str, str]
    is_manifest: bool

    def fingerprint(self) -> str:
        """Digest of all that was sent; of a form, however its parts were put together."""
        files = [None if file is None else _digest(file) for file in (self.document, self.images)]
        return hashlib.sha256(to_json(["batch", self.format, *files, dict(sorted(self.fields.items()))])).hexdigest()

    def open(self, settings: ServiceSettings) -> BatchBody:
        """The lines of the batch.

        Raises:
            InputError: it has not the form of a batch.
            ProblemError: it, or its zip, cannot be read.
            pydantic.ValidationError: what is said of all lines is not what it must be.
        """
        self.document.seek(0)
        said: dict[str, Any] = {name: read_json(text, field=name) for name, text in self.fields.items()}
        lines: Iterable[Any]
        if self.format == "json":
            head, kind, lines = read_document(self.document, field="manifest" if self.is_manifest else "body")
            twice = next((name for name in head if name in said), None)
            if twice is not None:
                raise InputError(f"{twice} is in the manifest, too", field=twice, code="repeated_field")
            options = BatchOptions.model_validate(head | said)
        else:
            options = BatchOptions.model_validate(said)
            kind = "pairs" if options.is_of_pairs else "items"
            lines = self._rows(kind, settings)
        if kind == "items" and options.is_of_pairs:
            message = "models, methods and seeds are of pairs; an item has its own"
            raise InputError(message, field="items", code="invalid_batch")
        _check_ways(options, settings)
        return BatchBody(cast(Kind, kind), lines, options, Ways(options), self._archive(settings), self.is_manifest)

    def _rows(self, kind: str, settings: ServiceSettings) -> Iterable[Any]:
        if self.format == "jsonl":
            most = MAX_FIELDS_BYTES if self.is_manifest else settings.max_body_bytes
            return read_lines(self.document, kind=kind, max_line_bytes=most)
        if _length(self.document) > MAX_DOCUMENT_BYTES:
            raise ProblemError(413, "body_too_large", f"a CSV file may have {MAX_DOCUMENT_BYTES:,} bytes")
        return read_csv(self.document, kind=kind)

    def _archive(self, settings: ServiceSettings) -> ImageArchive | None:
        if self.images is None:
            return None
        size_bytes = _length(self.images)
        return ImageArchive(self.images, size_bytes=size_bytes, max_image_bytes=settings.max_image_bytes)


@asynccontextmanager
async def receive(request: Request) -> AsyncIterator[ReceivedBatch]:
    """The body of a request, of any content type; what is put aside is there as long as the block runs.

    Raises:
        InputError: a field of the form is not what it must be.
        ProblemError: the content type is none of those, or it is no form that can be read.
        StorageUnavailableError: it cannot be put aside.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM:
        async with open_form(request, max_files=len(_FILES), max_fields=len(MANIFEST_FIELDS)) as form:
            yield _of_form(form)
        return
    if content_type not in (JSON, JSON_LINES):
        accepted = f"{FORM}, {JSON}, {JSON_LINES}"
        raise ProblemError(
            415,
            "unsupported_content_type",
            f"the content type must be one of {accepted}, not {content_type or 'none'}",
            headers={"Accept-Post": accepted},
        )
    with SpooledTemporaryFile(_KEPT_IN_MEMORY_BYTES) as spooled:
        file = UploadFile(cast(BinaryIO, spooled))
        try:
            async for chunk in request.stream():
                await file.write(chunk)
        except OSError as error:
            raise StorageUnavailableError(f"cannot put the request's body aside: {error.strerror}") from error
        yield ReceivedBatch(_TYPES[content_type], file.file, None, {}, is_manifest=False)


def _of_form(form: FormData) -> ReceivedBatch:
    for name, value in form.items():
        if len(form.getlist(name)) > 1:  # of an explanation's form, some fields may be
            raise InputError(f"{name} is given more than once", field=name, code="repeated_field")
        if name not in (*_FILES, *MANIFEST_FIELDS):
            known = ", ".join((*_FILES, *MANIFEST_FIELDS))
            raise InputError(f"{name} is unknown; the fields are {known}", field=name, code="extra_forbidden")
        if isinstance(value, UploadFile) is not (name in _FILES):
            expected = "a file" if name in _FILES else "a text field"
            raise InputError(f"{name} must be {expected}", field=name, code="wrong_part")
    manifest, images = form.get("manifest"), form.get("images")
    if not isinstance(manifest, UploadFile):
        raise InputError("there is no manifest; send a file of this name", field="manifest", code="missing")
    zipped = images.file if isinstance(images, UploadFile) else None
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return ReceivedBatch(_format_of(manifest), manifest.file, zipped, fields, is_manifest=True)


def _format_of(manifest: UploadFile) -> str:
    """By the file's name, or else by its content type."""
    name = (manifest.filename or "").lower()
    found = next((kind for ending, kind in _ENDINGS.items() if name.endswith(ending)), None)
    found = found or _TYPES.get((manifest.content_type or "").partition(";")[0].strip().lower())
    if found is None:
        message = f"the manifest's name must end with {', '.join(_ENDINGS)}"
        raise InputError(message, field="manifest", code="manifest_format")
    return found


def _check_ways(options: BatchOptions, settings: ServiceSettings) -> None:
    if options.most_ways > settings.max_batch_items:
        message = f"models, methods and seeds make {options.most_ways:,} explanations of every pair; a batch may have "
        raise InputError(f"{message}{settings.max_batch_items:,} in all", field="models", code="too_many_items")


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while data := file.read(_HASHED_BYTES):
        digest.update(data)
    return digest.hexdigest()


def _length(file: IO[bytes]) -> int:
    length = file.seek(0, 2)
    file.seek(0)
    return length


_ITEM: Final[TypeAdapter[ItemLine]] = TypeAdapter(BatchItemRequest)
_PAIR: Final[TypeAdapter[PairLine]] = TypeAdapter(BatchPairRequest)
_MANIFEST_ITEM: Final[TypeAdapter[ItemLine]] = TypeAdapter(ManifestItem)
_MANIFEST_PAIR: Final[TypeAdapter[PairLine]] = TypeAdapter(ManifestPair)
