from __future__ import annotations

import logging
import os
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
import pytest

from service.jobs.errors import StorageUnavailableError
from service.jobs.storage.location import Bucket as BucketLocation
from service.jobs.storage.location import locate
from service.jobs.storage.objects import Objects
from tests.support.certificates import issue
from tests.support.s3 import CREDENTIALS, Bucket, s3_server

PATH = "bundles/ab/abc"


@pytest.fixture
def objects(store_url: str) -> Objects:
    return Objects(locate(store_url))


def test_what_was_put_is_there_until_it_is_deleted(objects: Objects) -> None:
    objects.put(PATH, b"0123456789")
    assert bytes(objects.get(PATH)) == b"0123456789"
    assert bytes(objects.get_part(PATH, 2, 5)) == b"234"
    assert b"".join(map(bytes, objects.open(PATH, 2, 9).stream(min_chunk_size=1))) == b"2345678"
    objects.put(PATH, b"other")
    assert bytes(objects.get(PATH)) == b"other"
    objects.delete([PATH, "bundles/ab/nothing"])
    with pytest.raises(FileNotFoundError):
        objects.get(PATH)
    with pytest.raises(FileNotFoundError):
        objects.open(PATH, 0, 1)


def test_a_probe_leaves_nothing(
    objects: Objects, store_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    objects.probe()
    if store_url.startswith("s3:"):
        assert request.getfixturevalue("bucket").keys() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_objects_of_a_bucket_are_below_its_prefix(bucket: Bucket) -> None:
    Objects(locate(bucket.store_url)).put(PATH, b"x")
    assert bucket.keys() == [f"some/part/{PATH}"]


def test_a_bucket_that_is_not_there_is_an_error_that_tells_nothing_of_hosts(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    objects = Objects(locate(bucket.store_url.replace(bucket.name, "another-bucket")))
    for act in (objects.probe, lambda: objects.put(PATH, b"x"), lambda: objects.delete([PATH])):
        with caplog.at_level(logging.WARNING), pytest.raises(StorageUnavailableError) as caught:
            act()
        assert bucket.endpoint not in str(caught.value)
    assert bucket.endpoint in caplog.text


def test_a_server_that_is_away_is_an_error_within_seconds(bucket: Bucket) -> None:
    away = BucketLocation(name="bucket", endpoint="http://127.0.0.1:9", region="us-east-1", allow_http=True)
    started = time.monotonic()
    with pytest.raises(StorageUnavailableError, match="cannot read from the store"):
        Objects(away).get(PATH)
    assert time.monotonic() - started < 10


def test_a_server_that_takes_requests_and_answers_none_is_an_error(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jobs.storage.objects._READ_TIMEOUT", timedelta(seconds=0.3))
    monkeypatch.setattr("service.jobs.storage.objects._RETRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        objects = Objects(BucketLocation(name=bucket.name, endpoint=endpoint, allow_http=True))
        started = time.monotonic()
        for act in (lambda: objects.get(PATH), lambda: objects.put(PATH, b"x"), objects.probe):
            with pytest.raises(StorageUnavailableError):
                act()
        assert time.monotonic() - started < 10


def test_a_server_is_believed_whose_certificate_the_operator_knows_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    authority_file, tls_file = issue(tmp_path, ["localhost"])
    with s3_server(tmp_path / "server.log", tls_file=tls_file) as url:
        endpoint = url.replace("127.0.0.1", "localhost")
        assert endpoint.startswith("https://")
        tls = ssl.create_default_context(cafile=str(authority_file))
        assert httpx.put(f"{endpoint}/house", verify=tls).is_success
        location = f"s3://house?endpoint={endpoint}"
        with pytest.raises(StorageUnavailableError):
            Objects(locate(location)).put(PATH, b"x")
        objects = Objects(locate(f"{location}&ca_file={authority_file}"))
        objects.put(PATH, b"x")
        assert bytes(objects.get(PATH)) == b"x"
    with pytest.raises(StorageUnavailableError, match="cannot open the store"):
        Objects(locate(f"{location}&ca_file={tmp_path}/none.pem")).get(PATH)


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    objects = Objects(tmp_path / "file" / "store")
    for act in (objects.probe, lambda: objects.put(PATH, b"x")):
        with pytest.raises(StorageUnavailableError, match="cannot open the store"):
            act()


def test_a_full_disk_leaves_neither_object_nor_draft(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    objects.put(PATH, b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StorageUnavailableError):
            objects.put(PATH, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert bytes(objects.get(PATH)) == b"before"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["abc"]


def test_what_is_put_is_flushed_before_it_gets_its_name_and_the_name_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    rename, fsync = obstore.rename, os.fsync

    def note_rename(store: object, old: str, new: str) -> None:
        events.append("rename")
        rename(store, old, new)  # type: ignore[arg-type]  # as it was given

    def note_fsync(descriptor: int) -> None:
        events.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path.parent)))
        fsync(descriptor)

    monkeypatch.setattr("service.jobs.storage.objects.obstore.rename", note_rename)
    monkeypatch.setattr("service.jobs.storage.objects.os.fsync", note_fsync)
    root = tmp_path.name
    Objects(tmp_path).put(PATH, b"x")
    assert events[0].startswith(f"{root}/drafts/")
    assert events[1:] == ["rename", f"{root}/bundles/ab", f"{root}/bundles", root, "."]
    events.clear()
    Objects(tmp_path).put("bundles/ab/other", b"x")
    assert events[1:] == ["rename", f"{root}/bundles/ab"]


def test_a_writer_that_is_killed_leaves_drafts_alone_which_are_removed_when_old(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from service.jobs.storage.objects import Objects\n"
        "store = Objects(pathlib.Path(sys.argv[1]))\n"
        "print('begins', flush=True)\n"
        "while True: store.put('bundles/ab/abc', bytes(30_000_000))"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    while not (drafts := [path for path in tmp_path.glob("drafts/*") if path.stat().st_size > 0]):
        assert writer.poll() is None
    writer.kill()
    writer.wait()
    writer.stdout.close()
    found = tmp_path / PATH
    assert not found.exists() or found.stat().st_size == 30_000_000
    objects = Objects(tmp_path)
    objects.delete_drafts(older_than_s=3600)
    left = list(tmp_path.glob("drafts/*"))
    assert len(left) <= len(drafts) == 1
    for path in left:
        os.utime(path, (0, time.time() - 3700))
    objects.delete_drafts(older_than_s=3600)
    assert list(tmp_path.glob("drafts/*")) == []


def test_a_store_that_was_taken_away_and_given_back_works_again(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "store")
    objects.delete_drafts(older_than_s=0)
    objects.put(PATH, b"x")
    shutil.rmtree(tmp_path / "store")
    objects.put(PATH, b"y")
    assert bytes(objects.get(PATH)) == b"y"
