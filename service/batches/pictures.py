"""The pictures of a batch: each is decoded and stored once, however many items are of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fixlip_core.errors import InputError
from service.access.principal import Principal
from service.backend import Backend
from service.batches.archives import ImageArchive
from service.jobs.errors import ArtifactNotFoundError, UploadNotFoundError
from service.jobs.inputs import IMAGE
from service.jobs.storage.bundle import Bundle
from service.pairs import NamedPair, Pair
from service.pictures import Picture, picture_at, picture_in

__all__ = ["MAX_FETCHED", "BatchPictures", "StoredPicture"]

MAX_FETCHED: Final = 64
"""Pictures of a batch that may be given by their URL, since they are fetched while the request waits."""


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture in the store.

    Attributes:
        sha256: digest of the file as it was sent, in hex.
        size: width and height, pixels.
        plain_sha256: digest of the plain file that is stored.
        bundle: where it is: alone, as :data:`~service.jobs.inputs.IMAGE`.
    """

    sha256: str
    size: tuple[int, int]
    plain_sha256: str
    bundle: Bundle


class BatchPictures:
    """Finds what pairs show. Its methods raise what :func:`service.pictures.picture_of` does.

    Args:
        backend: what the API stands on.
        who: whose the batch will be.
        archive: the files that came with it, if any did.
    """

    def __init__(self, backend: Backend, who: Principal, archive: ImageArchive | None) -> None:
        self._backend = backend
        self._who = who
        self._archive = archive
        self._known: dict[tuple[str, str], StoredPicture] = {}
        self._n_fetched = 0
        self.stored_bytes = 0
        """Of all that was stored so far."""

    def find(self, pair: Pair | NamedPair) -> StoredPicture:
        """The picture of a pair, which is in the store from then on."""
        if pair.image_id is not None:
            image_id = pair.image_id
            return self._once("id", image_id, lambda: self._uploaded(image_id))
        if pair.image_url is not None:
            url = pair.image_url
            return self._once("url", url, lambda: self._stored(self._fetched(url)))
        if isinstance(pair, NamedPair):
            name = pair.image or ""
            return self._once("name", name, lambda: self._sent(self._member(name)))
        return self._sent(pair.image or b"")

    def read(self, picture: StoredPicture) -> bytes:
        """The plain file."""
        return self._backend.bundles.read(picture.bundle)[IMAGE]

    def _once(self, kind: str, name: str, find: Callable[[], StoredPicture]) -> StoredPicture:
        key = (kind, name)
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]

    def _sent(self, data: bytes) -> StoredPicture:
        digest = hashlib.sha256(data).hexdigest()
        return self._once("sha256", digest, lambda: self._stored(picture_in(self._backend, data)))

    def _stored(self, picture: Picture) -> StoredPicture:
        self._backend.quotas.check_submission(self._who, passes=0, bytes=self.stored_bytes + len(picture.plain))
        bundle = self._backend.bundles.add({IMAGE: picture.plain})
        self.stored_bytes += bundle.size_bytes
        return StoredPicture(picture.sha256, picture.size, picture.plain_sha256(), bundle)

    def _uploaded(self, image_id: str) -> StoredPicture:
        bundles = self._backend.bundles
        try:
            upload, bundle = self._backend.uploads.get(image_id, tenant=self._who.tenant)
            if not bundles.claim(bundle):
                raise UploadNotFoundError(image_id)
            entry = bundles.find(bundle, IMAGE)
        except (UploadNotFoundError, ArtifactNotFoundError) as error:  # it may be removed between the two
            missing = UploadNotFoundError(image_id)
            raise InputError(str(missing), field="image_id", code=missing.code) from error
        return StoredPicture(upload.sha256, (upload.width, upload.height), entry.sha256, bundle)

    def _fetched(self, url: str) -> Picture:
        self._n_fetched += 1
        if self._n_fetched > MAX_FETCHED:
            message = f"a batch may name at most {MAX_FETCHED} different URLs; upload the images, or send them in a zip"
            raise InputError(message, field="image_url", code="too_many_urls")
        return picture_at(self._backend, url)

    def _member(self, name: str) -> bytes:
        if self._archive is None:
            raise InputError("the form has no images: send a zip", field="image", code="image_not_in_archive")
        return self._archive.read(name)
