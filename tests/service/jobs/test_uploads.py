from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis

from service.jobs.errors import UploadNotFoundError, UploadUnreadableError
from service.jobs.repository import JobRepository
from service.jobs.storage.bundle import Bundle
from service.jobs.uploads import Upload, UploadRepository

BUNDLE = Bundle(digest="5" * 64, size_bytes=100)


@pytest.fixture
def uploads(redis: Redis) -> UploadRepository:
    return UploadRepository(redis, "fixlip", retention_s=3600)


@pytest.fixture
def upload(uploads: UploadRepository) -> Upload:
    return uploads.create(BUNDLE, tenant="ours", sha256="0" * 64, size=(48, 32), size_bytes=77)


def test_an_upload_is_its_tenants_alone(uploads: UploadRepository, upload: Upload, repository: JobRepository) -> None:
    assert uploads.get(upload.id, tenant="ours") == (upload, BUNDLE)
    assert (upload.width, upload.height, upload.bytes) == (48, 32, 77)
    assert upload.expires_at - upload.created_at == timedelta(hours=1)
    assert repository.stored_bytes("ours") == 100
    for act in (uploads.get, uploads.delete):
        with pytest.raises(UploadNotFoundError):
            act(upload.id, tenant="theirs")
    assert uploads.get(upload.id, tenant="ours")[0] == upload


@pytest.mark.parametrize("upload_id", ["", "img_", "img_" + "0" * 32, "*", "0" * 32, "img_" + "G" * 32])
def test_other_ids_are_not_found(uploads: UploadRepository, upload_id: str) -> None:
    with pytest.raises(UploadNotFoundError):
        uploads.get(upload_id, tenant="ours")


def test_a_deleted_upload_leaves_nothing_but_its_bundle_to_be_removed(
    uploads: UploadRepository, upload: Upload, repository: JobRepository, redis: Redis
) -> None:
    def delete() -> bool:
        try:
            uploads.delete(upload.id, tenant="ours")
        except UploadNotFoundError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: delete(), range(8))) == 1
    assert repository.stored_bytes("ours") == 0
    assert set(redis.keys("fixlip:*")) == {b"fixlip:stored_bytes", b"fixlip:unheld"}
    assert redis.zrange("fixlip:unheld", 0, -1) == [BUNDLE.digest.encode()]


def test_uploads_expire_the_oldest_first(uploads: UploadRepository, upload: Upload, redis: Redis) -> None:
    others = [uploads.create(BUNDLE, tenant="ours", sha256="1" * 64, size=(1, 1), size_bytes=1) for _ in range(2)]
    assert uploads.remove_expired(most=10) == 0
    for each in (upload, others[0]):
        redis.zincrby("fixlip:expiring_uploads", -3601, each.id)
    assert uploads.remove_expired(most=1) == 1
    with pytest.raises(UploadNotFoundError):
        uploads.get(upload.id, tenant="ours")
    assert uploads.remove_expired(most=10) == 1
    assert uploads.remove_expired(most=10) == 0
    assert redis.smembers(f"fixlip:holders:{BUNDLE.digest}") == {f"upload:{others[1].id}".encode()}


def test_a_record_that_was_lost_keeps_nothing_from_expiring(uploads: UploadRepository, redis: Redis) -> None:
    redis.zadd("fixlip:expiring_uploads", {"img_" + "0" * 32: 1.0})
    assert uploads.remove_expired(most=1) == 1
    assert uploads.remove_expired(most=1) == 0


def test_what_cannot_be_read_is_left_alone_told_once_and_keeps_no_other_upload(
    uploads: UploadRepository, upload: Upload, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    other = uploads.create(BUNDLE, tenant="ours", sha256="0" * 64, size=(48, 32), size_bytes=77)
    redis.set(f"fixlip:upload:{upload.id}", b'{"of_another_version": 1}')
    for each in (upload, other):
        redis.zadd("fixlip:expiring_uploads", {each.id: 1.0})
    for _ in range(3):
        uploads.remove_expired(most=10)
    assert redis.zrange("fixlip:expiring_uploads", 0, -1) == [upload.id.encode()]
    assert caplog.text.count(upload.id) == 1
    with pytest.raises(UploadUnreadableError):
        uploads.get(upload.id, tenant="ours")
