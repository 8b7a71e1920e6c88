"""The picture of a request, wherever the request has it from, as it is stored for the workers."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

from fixlip_core.errors import InputError, InvalidImageError
from fixlip_core.images import decode_image
from service.access.principal import Principal
from service.backend import Backend
from service.jobs.errors import ArtifactNotFoundError, UploadNotFoundError
from service.jobs.inputs import IMAGE
from service.outbound.errors import (
    AnswerTooLongError,
    BusyError,
    HostRefusedError,
    InvalidUrlError,
    OutboundError,
    UnreachableError,
)
from service.pairs import Pair
from service.problems import ProblemError

__all__ = ["Picture", "picture_at", "picture_in", "picture_of"]

_URL_CODES: Final[dict[type[OutboundError], str]] = {
    AnswerTooLongError: "image_too_large",
    HostRefusedError: "image_host_not_allowed",
    InvalidUrlError: "image_url_invalid",
    UnreachableError: "image_url_unreachable",
}
# To pack a picture takes many times as long as all the rest of a submission, and saves a third of its bytes.
_UNPACKED_PIXELS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was sent.

    Attributes:
        sha256: digest of the file as it was sent, in hex.
        size: width and height of the upright picture, pixels.
        plain: the picture as a plain RGB file, BMP or PNG: workers never see the bytes that were sent.
    """

    sha256: str
    size: tuple[int, int]
    plain: bytes

    def plain_sha256(self) -> str:
        """Digest of the plain file, in hex."""
        return hashlib.sha256(self.plain).hexdigest()


def picture_of(backend: Backend, who: Principal, request: Pair) -> Picture:
    """The picture that a request brings or names.

    Raises:
        InputError: it cannot be accepted, there is no such picture, or it cannot be fetched.
        ProblemError: too many pictures are being fetched just now.
        redis.RedisError: Redis did not answer.
        StorageUnavailableError: the store did not answer.
    """
    if request.image_id is not None:
        return _uploaded(backend, who, request.image_id)
    if request.image_url is not None:
        return picture_at(backend, request.image_url)
    return picture_in(backend, request.image or b"")


def picture_in(backend: Backend, data: bytes) -> Picture:
    """The picture in a file that was sent.

    Raises:
        InvalidImageError: it is none that is accepted.
    """
    settings = backend.settings
    with backend.decode_slots, backend.metrics.image_decode_seconds.time():
        image = decode_image(data, max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        plain = _plain_file(image)
    return Picture(hashlib.sha256(data).hexdigest(), image.size, plain)


def _plain_file(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    if image.width * image.height <= _UNPACKED_PIXELS:
        image.save(buffer, format="BMP")
    else:
        image.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def _uploaded(backend: Backend, who: Principal, image_id: str) -> Picture:
    try:
        upload, bundle = backend.uploads.get(image_id, tenant=who.tenant)
        plain = backend.bundles.read(bundle)[IMAGE]
    except (UploadNotFoundError, ArtifactNotFoundError) as error:  # it may be removed between the two
        missing = UploadNotFoundError(image_id)
        raise InputError(str(missing), field="image_id", code=missing.code) from error
    return Picture(upload.sha256, (upload.width, upload.height), plain)


def picture_at(backend: Backend, url: str) -> Picture:
    """The picture that is fetched from a URL.

    Raises:
        InvalidImageError: it cannot be fetched, or is none that is accepted.
        ProblemError: too many pictures are being fetched just now.
    """
    try:
        data = backend.image_fetcher.fetch(url)
    except BusyError as error:
        raise ProblemError(503, "image_fetches_busy", str(error)) from error
    except OutboundError as error:
        raise InvalidImageError(
            f"the image cannot be fetched: {error}", field="image_url", code=_URL_CODES[type(error)]
        ) from error
    try:
        return picture_in(backend, data)
    except InvalidImageError as error:
        raise InvalidImageError(str(error), field="image_url", code=error.code) from error
