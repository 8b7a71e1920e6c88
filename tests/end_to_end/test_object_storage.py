"""API, worker and sweeper share Redis and a bucket, and no directory."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest
import redis

from fixlip_core.formats import from_npz_bytes
from tests.support.fake_worker import fake_worker
from tests.support.jobs import PARAMS, png
from tests.support.processes import serving, wait_until
from tests.support.s3 import Bucket

pytestmark = pytest.mark.slow


def test_a_job_through_a_bucket(
    redis_url: str, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIXLIP_STORE_URL", bucket.store_url)
    folders = [tmp_path / name for name in ("of-the-api", "of-the-worker")]
    for folder in folders:
        folder.mkdir()
    with (
        serving(redis_url, folders[0]) as url,
        fake_worker(redis_url, folders[1]),
        httpx.Client(base_url=url, timeout=90) as http,
    ):
        wait_until(lambda: http.get("/readyz").is_success)
        image_id = http.post("/v1/images", files={"image": png()}).json()["id"]
        assert len(bucket.keys()) == 1
        request = {"image_id": image_id, "caption": "a red circle", "model": "fake", "params": PARAMS}
        job = http.post("/v1/explanations", json=request, headers={"Prefer": "wait=60"}).json()
        assert job["status"] == "succeeded", job
        tensor = http.get(job["urls"]["interactions_npz"])
        assert from_npz_bytes(tensor.content).order == 2
        assert tensor.headers["ETag"] == f'"{hashlib.sha256(tensor.content).hexdigest()}"'
        part = http.get(job["urls"]["interactions_npz"], headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, tensor.content[10:20])
        for picture in job["urls"]["maps"].values():
            assert http.get(picture).content.startswith(b"\x89PNG")
        for drawing in job["urls"]["maps_svg"].values():
            assert b"<svg" in http.get(drawing).content
        assert len(bucket.keys()) == 2

        assert http.delete(job["urls"]["self"]).status_code == 204
        assert http.delete(f"/v1/images/{image_id}").status_code == 204
        with redis.Redis.from_url(redis_url) as client:  # an hour passes
            for digest in client.zrange("fixlip:unheld", 0, -1):
                client.zincrby("fixlip:unheld", -3600, digest)
        wait_until(lambda: bucket.keys() == [])
    written = [path for folder in folders for path in folder.rglob("*") if path.suffix != ".log"]
    assert written == []
