"""Uploaded images, which jobs may name instead of bringing their own."""

from __future__ import annotations

import logging
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import to_json
from redis import Redis
from redis.client import Pipeline

from service.jobs._keys import Keys, text
from service.jobs._removing import remove
from service.jobs.errors import UploadNotFoundError, UploadUnreadableError
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.holdings import hold, release

__all__ = ["Upload", "UploadRepository"]

_ID: Final = re.compile(r"img_[0-9a-f]{32}")
_log = logging.getLogger(__name__)


class Upload(BaseModel):
    """An uploaded image. Instants are in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    id: str = Field(default_factory=lambda: f"img_{uuid.uuid4().hex}")
    sha256: str = Field(description="Hex digest of the file as it was sent.")
    width: int = Field(description="Pixels, of the upright picture.")
    height: int = Field(description="Pixels, of the upright picture.")
    bytes: int = Field(description="Length of the file as it was sent.")
    created_at: AwareDatetime
    expires_at: AwareDatetime = Field(description="When it is removed; jobs that use it keep what they need.")


class _Row(BaseModel):
    """All that is known of an upload; it never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    upload: Upload
    bundle: Bundle


class UploadRepository:
    """The uploads' records. Every method may raise ``redis.RedisError``.

    Args:
        redis: where they are.
        key_prefix: first part of every key.
        retention_s: how long an upload is kept, seconds.
    """

    def __init__(self, redis: Redis, key_prefix: str, *, retention_s: int) -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)
        self._retention = timedelta(seconds=retention_s)
        self._unreadable: set[str] = set()

    def create(self, bundle: Bundle, *, tenant: str, sha256: str, size: tuple[int, int], size_bytes: int) -> Upload:
        """Record an upload, whose picture is in the store already.

        Args:
            bundle: the stored picture.
            tenant: whose it is.
            sha256: digest of the file as it was sent.
            size: width and height, pixels.
            size_bytes: length of the file as it was sent.
        """
        now = self._now()
        upload = Upload(
            sha256=sha256,
            width=size[0],
            height=size[1],
            bytes=size_bytes,
            created_at=now,
            expires_at=now + self._retention,
        )
        keys = self._keys
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.upload(upload.id), to_json(_Row(tenant=tenant, upload=upload, bundle=bundle)))
            pipe.zadd(keys.expiring_uploads, {upload.id: upload.expires_at.timestamp()})
            pipe.hincrby(keys.stored_bytes, tenant, bundle.size_bytes)
            hold(pipe, keys, bundle.digest, _holder(upload.id))
            pipe.execute()
        return upload

    def get(self, upload_id: str, *, tenant: str) -> tuple[Upload, Bundle]:
        """An upload, and where its picture is stored.

        Raises:
            UploadNotFoundError: the tenant has no upload of this id, or it has expired.
            UploadUnreadableError: another version of this program has written it.
        """
        row = self._row(upload_id)
        if row is None or row.tenant != tenant:
            raise UploadNotFoundError(upload_id)
        return row.upload, row.bundle

    def delete(self, upload_id: str, *, tenant: str) -> None:
        """Remove an upload; jobs that use it keep what they need.

        Raises:
            UploadNotFoundError: the tenant has no upload of this id, or it has expired.
            UploadUnreadableError: another version of this program has written it.
        """
        row = self._row(upload_id)
        if row is None or row.tenant != tenant or not self._remove(row):
            raise UploadNotFoundError(upload_id)

    def remove_expired(self, *, most: int) -> int:
        """Remove uploads whose time has come, the oldest first; gives how many were due.

        Those that another version of this program has written are left to it; each is told of once.
        """
        now = self._now().timestamp()
        due = self._redis.zrangebyscore(self._keys.expiring_uploads, "-inf", now, start=0, num=most)
        for upload_id in map(text, due):
            try:
                row = self._row(upload_id)
            except UploadUnreadableError as error:
                if upload_id not in self._unreadable:
                    self._unreadable.add(upload_id)
                    _log.warning("%s", error)
                continue
            if row is None or not self._remove(row):
                self._redis.zrem(self._keys.expiring_uploads, upload_id)  # it is gone already
        return len(due)

    def _now(self) -> datetime:
        seconds, micros = self._redis.time()
        return datetime.fromtimestamp(seconds + micros / 1e6, UTC)

    def _row(self, upload_id: str) -> _Row | None:
        data = self._redis.get(self._keys.upload(upload_id)) if _ID.fullmatch(upload_id) else None
        try:
            return None if data is None else _Row.model_validate_json(data)
        except ValueError as error:
            raise UploadUnreadableError(upload_id) from error

    def _remove(self, row: _Row) -> bool:
        """Whether it was this call that removed it."""
        keys, upload_id, now = self._keys, row.upload.id, self._now().timestamp()

        def leave(pipe: Pipeline) -> None:
            pipe.zrem(keys.expiring_uploads, upload_id)
            pipe.hincrby(keys.stored_bytes, row.tenant, -row.bundle.size_bytes)
            release(pipe, keys, row.bundle.digest, _holder(upload_id), now)

        return remove(self._redis, keys.upload(upload_id), leave)


def _holder(upload_id: str) -> str:
    return f"upload:{upload_id}"
