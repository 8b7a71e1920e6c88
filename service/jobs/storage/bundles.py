"""The store of bundles, which the API and the workers share."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Final, Self

from redis import Redis

from service.jobs._keys import Keys
from service.jobs.errors import ArtifactNotFoundError, BundleDamagedError, StorageUnavailableError
from service.jobs.settings import JobSettings
from service.jobs.storage.bundle import Bundle, Contents, Entry, pack, unpack
from service.jobs.storage.holdings import REMOVED_WITHIN_S, Holdings, Kept
from service.jobs.storage.objects import Objects

__all__ = ["BundleStore"]

_HEAD_BYTES: Final = 16_384
"""Read at once for the first line, which is seldom longer."""
_KNOWN_BUNDLES: Final = 512
_CHUNK_BYTES: Final = 262_144
_WAIT_S: Final = 2.0


class BundleStore:
    """Bundles by their digest; see :mod:`service.jobs.storage.holdings` for how long one stays.

    Every method may raise ``StorageUnavailableError``: the store refuses or does not answer, or what it gives is
    damaged. It may be used from several threads.

    Args:
        objects: where bundles lie.
        holdings: who holds them.
    """

    def __init__(self, objects: Objects, holdings: Holdings) -> None:
        self._objects = objects
        self._holdings = holdings
        self._contents = lru_cache(_KNOWN_BUNDLES)(partial(_read_contents, objects))  # bundles never change

    @classmethod
    def open(cls, settings: JobSettings, redis: Redis) -> Self:
        """The store as ``settings`` say; nothing is connected or written yet."""
        return cls(Objects(settings.store_location), Holdings(redis, Keys(settings.key_prefix)))

    def add(self, files: Mapping[str, bytes]) -> Bundle:
        """Store files, which somebody is to hold within :data:`~service.jobs.storage.holdings.GRACE_S`.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        bundle, packed = pack(files)
        if self._claim(bundle) is not Kept.BY_HOLDER:
            self._objects.put(_path(bundle.digest), packed)
        return bundle

    def keep(self, bundle: Bundle) -> bool:
        """Have a bundle of one's own kept for another :data:`~service.jobs.storage.holdings.GRACE_S`.

        Returns:
            Whether it was until now; if not, it may be gone.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        return self._claim(bundle) is not Kept.BY_NOTHING

    def claim(self, bundle: Bundle) -> bool:
        """Have another's bundle kept for :data:`~service.jobs.storage.holdings.GRACE_S`, even if it lets go of it.

        Returns:
            Whether somebody holds it; if not, it may be gone.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        return self._claim(bundle) is Kept.BY_HOLDER

    def read(self, bundle: Bundle) -> dict[str, bytes]:
        """All files of a bundle by name.

        Raises:
            ArtifactNotFoundError: it is not in the store.
        """
        with _missing(bundle):
            packed = bytes(self._objects.get(_path(bundle.digest)))
        try:
            return unpack(packed, digest=bundle.digest)
        except ValueError as error:
            raise BundleDamagedError(bundle.digest, error) from error

    def find(self, bundle: Bundle, name: str) -> Entry:
        """Where a file of a bundle is, and its digest; seldom asks the store.

        Raises:
            ArtifactNotFoundError: the bundle has no such file, or is not in the store.
        """
        entry = self._contents(bundle).entries.get(name)
        if entry is None:
            raise ArtifactNotFoundError(name)
        return entry

    def read_part(self, bundle: Bundle, entry: Entry, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end`` of a file; all of it is checked by its digest.

        Raises:
            ArtifactNotFoundError: the bundle is not in the store.
        """
        if start == end:
            return b""
        with _missing(bundle):
            part = bytes(self._objects.get_part(_path(bundle.digest), entry.start + start, entry.start + end))
        if len(part) == entry.size_bytes and hashlib.sha256(part).hexdigest() != entry.sha256:
            raise BundleDamagedError(bundle.digest, "a file has another digest")
        return part

    def stream_part(self, bundle: Bundle, entry: Entry, start: int, end: int) -> AsyncIterator[bytes]:
        """Like :meth:`read_part`, as the bytes come; there is at least one.

        Of a file in whole, the last come only once the check has passed: a damaged one is broken off.

        Raises:
            ArtifactNotFoundError: the bundle is not in the store.
        """
        with _missing(bundle):
            found = self._objects.open(_path(bundle.digest), entry.start + start, entry.start + end)
        chunks = found.stream(min_chunk_size=_CHUNK_BYTES)
        return _checked(chunks, entry, bundle) if end - start == entry.size_bytes else _plain(chunks)

    def collect_garbage(self, *, most: int) -> int:
        """Remove bundles that nobody holds; gives how many.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        begun_s = time.monotonic()
        garbage = self._holdings.take_garbage(most=most)
        # A process that was stopped in between must not remove what others may have written since.
        if garbage and time.monotonic() - begun_s < REMOVED_WITHIN_S / 2:
            self._objects.delete([_path(digest) for digest in garbage])
            self._holdings.removed(garbage)
        return len(garbage)

    def delete_drafts(self, *, older_than_s: float) -> None:
        """Remove what was begun so long ago that its writer must be gone."""
        self._objects.delete_drafts(older_than_s=older_than_s)

    def probe(self) -> None:
        """Check that the store can be written."""
        self._objects.probe()

    def _claim(self, bundle: Bundle) -> Kept:
        give_up_s = time.monotonic() + _WAIT_S
        while (kept := self._holdings.claim(bundle.digest)) is None:
            if time.monotonic() > give_up_s:
                raise StorageUnavailableError(f"bundle {bundle.digest} is being removed")
            time.sleep(0.02)
        return kept


def _read_contents(objects: Objects, bundle: Bundle) -> Contents:
    path, end, head = _path(bundle.digest), min(_HEAD_BYTES, bundle.size_bytes), b""
    with _missing(bundle):
        while b"\n" not in head and len(head) < bundle.size_bytes:
            head, end = bytes(objects.get_part(path, 0, end)), bundle.size_bytes
    try:
        return Contents.of(head[: head.find(b"\n") + 1], digest=bundle.digest)
    except ValueError as error:
        raise BundleDamagedError(bundle.digest, error) from error


def _path(digest: str) -> str:
    return f"bundles/{digest[:2]}/{digest}"


@contextmanager
def _missing(bundle: Bundle) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ArtifactNotFoundError(f"bundle {bundle.digest}") from error


async def _plain(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield bytes(chunk)


async def _checked(chunks: AsyncIterator[bytes], entry: Entry, bundle: Bundle) -> AsyncIterator[bytes]:
    digest, last = hashlib.sha256(), b""
    async for chunk in chunks:
        if last:
            yield last
        last = bytes(chunk)
        digest.update(last)
    if digest.hexdigest() != entry.sha256:
        raise BundleDamagedError(bundle.digest, "a file has another digest")
    yield last
