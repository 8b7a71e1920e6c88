"""Submissions of batches: a manifest, and a zip of the images that it names."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypedDict

from fixlip.client._answers import key_not_sendable, model_parser
from fixlip.client._batch_models import Batch
from fixlip.client._batch_operations import BATCHES
from fixlip.client._operations import Operation
from fixlip.client.errors import ServiceError

__all__ = ["BatchSubmission", "submit_batch"]

_OPTIONS: Final = ("models", "methods", "seeds", "evaluate", "maps", "metadata")
_LISTS: Final = ("items", "pairs")
_CHECKED_WITHIN_S: Final = 600.0
"""The service answers when it has looked at every item."""
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the same files are the same zip


class BatchSubmission(TypedDict, total=False):
    """What is to be explained, and how: ``items``, ``pairs`` or a ``manifest``.

    An item is a mapping with ``caption``; ``image`` (a file's bytes, or where it is), ``image_id`` or ``image_url``;
    and, where they are wanted, ``custom_id``, ``pair_id``, ``model``, ``method``, ``params``, ``evaluate`` and
    ``metadata``. Of a pair there are image, caption, ``custom_id`` and ``metadata``: it is explained by all of
    ``models`` x ``methods`` (mappings with ``method`` and ``params``) x ``seeds``. ``manifest`` is a file of either
    (.json, .jsonl, .csv), and ``images`` a zip, or the folder with the files that it names. ``evaluate`` and
    ``metadata`` are of the whole batch, ``maps`` has maps drawn, and ``webhook`` is a URL that is told of its end, by a
    message signed with the tenant's secrets. Submissions of the same ``idempotency_key`` give
    the same batch.
    """

    items: Sequence[Mapping[str, Any]] | None
    pairs: Sequence[Mapping[str, Any]] | None
    manifest: Path | None
    images: Path | None
    models: Sequence[str] | None
    methods: Sequence[Mapping[str, Any]] | None
    seeds: Sequence[int] | None
    evaluate: Sequence[str] | None
    maps: bool
    metadata: Mapping[str, str] | None
    webhook: str | None
    idempotency_key: str | None


def submit_batch(submission: BatchSubmission) -> Operation[Batch]:
    """The request of a submission.

    Raises:
        OSError: a file cannot be read.
        ServiceError: there is nothing to explain, or two things are; or no header can have such a key.
    """
    key = submission.get("idempotency_key") or uuid.uuid4().hex
    if not key.isascii():
        raise key_not_sendable()
    given = [name for name in (*_LISTS, "manifest") if submission.get(name) is not None]
    if len(given) != 1:
        raise ServiceError("a batch is given by items, pairs or a manifest: by exactly one of them")
    manifest = submission.get("manifest")
    files = _of_manifest(manifest, submission.get("images")) if manifest else _of_lines(given[0], submission)
    form = {name: json.dumps(submission[name]) for name in _OPTIONS if submission.get(name) is not None}
    if (webhook := submission.get("webhook")) is not None:
        form["webhook"] = json.dumps({"url": webhook})
    return Operation(
        "POST",
        BATCHES,
        model_parser(Batch),
        headers={"Idempotency-Key": key},
        form=form,
        files=files,
        longer_by_s=_CHECKED_WITHIN_S,
    )


def _of_lines(kind: str, submission: BatchSubmission) -> dict[str, tuple[str, bytes]]:
    """The files of a batch that is given line by line."""
    images: dict[str, bytes | Path] = {}
    lines = []
    for line in submission.get(kind) or ():  # type: ignore[attr-defined]  # one of the two lists
        written = dict(line)
        if (image := written.get("image")) is not None:
            written["image"] = _name_of(image)
            images[written["image"]] = image
        lines.append(written)
    manifest = json.dumps({kind: lines}).encode()
    return {"manifest": ("manifest.json", manifest), "images": ("images.zip", _zipped(images))}


def _of_manifest(manifest: Path, images: Path | None) -> dict[str, tuple[str, bytes]]:
    """The files of a batch that is given by a file."""
    data = manifest.read_bytes()
    files: dict[str, tuple[str, bytes]] = {"manifest": (manifest.name, data)}
    if images is not None and images.is_dir():
        # What is not there, or not within the folder, is for the service to tell of.
        named = {name: images / name for name in _names_in(manifest.suffix.lower(), data)}
        within = {name: path for name, path in named.items() if path.resolve().is_relative_to(images.resolve())}
        files["images"] = ("images.zip", _zipped({name: path for name, path in within.items() if path.is_file()}))
    elif images is not None:
        files["images"] = (images.name, images.read_bytes())
    return files


def _names_in(suffix: str, data: bytes) -> set[str]:
    """The files that a manifest names; none, where it cannot be read, of which the service tells."""
    try:
        return {
            name for line in _lines_of(suffix, data.decode("utf-8-sig")) if isinstance(name := line.get("image"), str)
        }
    except (ValueError, AttributeError, TypeError, csv.Error):
        return set()


def _lines_of(suffix: str, text: str) -> Iterator[Mapping[str, Any]]:
    if suffix == ".csv":
        yield from csv.DictReader(io.StringIO(text, newline=""))
    elif suffix == ".json":
        document = json.loads(text)
        for kind in _LISTS:
            yield from document.get(kind, ())
    else:
        yield from (json.loads(line) for line in text.splitlines() if line.strip())


def _name_of(image: bytes | Path) -> str:
    data = image if isinstance(image, bytes) else str(image.resolve()).encode()
    return hashlib.sha256(data).hexdigest()


def _zipped(images: Mapping[str, bytes | Path]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # images hardly get smaller
        for name, image in sorted(images.items()):
            archive.writestr(
                zipfile.ZipInfo(name, _LONG_AGO), image if isinstance(image, bytes) else image.read_bytes()
            )
    return buffer.getvalue()
