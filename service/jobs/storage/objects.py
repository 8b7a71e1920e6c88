"""Where objects lie: a directory, or a bucket that speaks S3."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import obstore
from obstore import Bytes
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from service.jobs.errors import StorageUnavailableError
from service.jobs.storage.location import Bucket, Location

if TYPE_CHECKING:
    from obstore import GetResult  # these are types for checkers alone
    from obstore.store import ClientConfig, S3Config

__all__ = ["Objects"]

_DRAFTS: Final = "drafts"
_READ: Final = "read from"
_CONNECT_TIMEOUT: Final = timedelta(seconds=3)
_READ_TIMEOUT: Final = timedelta(seconds=10)
_RETRIES: Final = 3
_RETRIED_FOR: Final = timedelta(seconds=15)
_LONGEST: Final = timedelta(minutes=10)
"""Of one answer: who reads it may be slow."""
_log = logging.getLogger(__name__)


class Objects:
    """Objects by path, each written whole or not at all, and on the disk for good once :meth:`put` has returned.

    Nothing is connected or written before it is needed. Every method may raise ``StorageUnavailableError``: the disk or
    the bucket refuses, or does not answer.

    Args:
        location: where they lie.
    """

    def __init__(self, location: Location) -> None:
        self._location = location

    def put(self, path: str, data: bytes) -> None:
        """Write an object; one that is there already is replaced."""
        with _translated("write to"):
            if isinstance(self._location, Bucket):
                # In parts, what a dead writer has left would stay in the bucket unseen.
                obstore.put(self._store, path, data, use_multipart=False)
            else:
                _put_on_disk(self._store, self._location, path, data)

    def get(self, path: str) -> Bytes:
        """All bytes of an object.

        Raises:
            FileNotFoundError: there is none.
        """
        with _translated(_READ):
            return obstore.get(self._store, path).bytes()

    def get_part(self, path: str, start: int, end: int) -> Bytes:
        """Some bytes of an object, of which there is at least one.

        Raises:
            FileNotFoundError: there is no such object.
        """
        with _translated(_READ):
            return obstore.get_range(self._store, path, start=start, end=end)

    def open(self, path: str, start: int, end: int) -> GetResult:
        """Some bytes of an object, of which there is at least one, to be read bit by bit.

        Raises:
            FileNotFoundError: there is no such object.
        """
        with _translated(_READ):
            return obstore.get(self._store, path, options={"range": (start, end)})

    def delete(self, paths: Sequence[str]) -> None:
        """Remove objects; those that are not there are no error."""
        with _translated("remove from"):
            if isinstance(self._location, Bucket):
                obstore.delete(self._store, paths)
                return
            for path in paths:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, path)

    def delete_drafts(self, *, older_than_s: float) -> None:
        """Remove what was begun so long ago that its writer must be gone."""
        if isinstance(self._location, Bucket):
            return
        begun_before = (datetime.now(UTC) - timedelta(seconds=older_than_s)).timestamp()
        with _translated("tidy"), suppress(FileNotFoundError):
            # Not by the store, which hides the files of writers that died within its own write.
            for draft in (self._location / _DRAFTS).iterdir():
                with suppress(FileNotFoundError):  # its writer, or another process, was faster
                    if draft.stat().st_mtime < begun_before:
                        draft.unlink()

    def probe(self) -> None:
        """Check that an object can be written; none stays."""
        path = f"{_DRAFTS}/{uuid.uuid4().hex}"
        with _translated("write to"):
            try:
                obstore.put(self._store, path, b"probe", use_multipart=False)
            finally:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, path)

    @cached_property
    def _store(self) -> ObjectStore:
        with _translated("open"):  # by itself: that a file of its settings is missing is no missing object
            if isinstance(self._location, Bucket):
                return _store_of(self._location)
            return LocalStore(self._location, mkdir=True)


def _store_of(bucket: Bucket) -> S3Store:
    config: S3Config = {"bucket": bucket.name}
    if bucket.endpoint is not None:
        config["endpoint"] = bucket.endpoint
    if bucket.region is not None:
        config["region"] = bucket.region
    client: ClientConfig = {
        "allow_http": bucket.allow_http,
        "connect_timeout": _CONNECT_TIMEOUT,
        "read_timeout": _READ_TIMEOUT,
        "timeout": _LONGEST,
    }
    if bucket.ca_file is not None:
        client["root_certificate"] = bucket.ca_file.read_bytes()
    return S3Store(
        config=config,
        prefix=bucket.prefix or None,
        client_options=client,
        retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRIED_FOR},
    )


def _put_on_disk(store: ObjectStore, root: Path, path: str, data: bytes) -> None:
    """Write a draft and rename it, each step flushed before the next: the store itself flushes nothing."""
    draft = f"{_DRAFTS}/{uuid.uuid4().hex}"
    folder = (root / path).parent
    is_new = not folder.exists()
    try:
        obstore.put(store, draft, data, use_multipart=False)
        _flush(root / draft)
        obstore.rename(store, draft, path)
    except BaseException:
        with suppress(OSError):
            (root / draft).unlink()
        raise
    _flush(folder)
    if is_new:
        for above in (folder.parent, root, root.parent):
            _flush(above)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """The store's errors as ours; that there is no such object to read remains what it is."""
    try:
        yield
    except (BaseError, OSError) as error:
        if isinstance(error, FileNotFoundError) and what == _READ:
            raise
        # The message tells of paths and hosts, which are no business of clients.
        _log.warning("cannot %s the store: %s", what, str(error).partition("\n")[0])
        raise StorageUnavailableError(f"cannot {what} the store") from error
