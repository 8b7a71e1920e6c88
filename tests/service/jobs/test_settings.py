from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.jobs.settings import JobSettings
from service.jobs.storage.location import Bucket


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///run/redis.sock")
    monkeypatch.setenv("FIXLIP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FIXLIP_QUEUE", "gpu")
    monkeypatch.setenv("FIXLIP_JOB_TIMEOUT_S", "30")
    monkeypatch.setenv("FIXLIP_HEARTBEAT_S", "2")

    settings = JobSettings()

    assert (settings.redis_url, settings.data_dir) == ("unix:///run/redis.sock", tmp_path)
    assert (settings.queue_name, settings.job_timeout_s) == ("gpu", 30)
    assert (settings.heartbeat_s, settings.liveness_ttl_s) == (2, 6)


def test_the_store_is_the_data_directory_unless_it_has_another_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert JobSettings(data_dir=Path("/srv")).store_location == Path("/srv")
    monkeypatch.setenv("FIXLIP_STORE_URL", "")
    assert JobSettings(data_dir=Path("/srv")).store_location == Path("/srv")
    monkeypatch.setenv("FIXLIP_STORE_URL", "s3://house/part?region=eu-1")
    assert JobSettings().store_location == Bucket(name="house", prefix="part", region="eu-1")


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://a")

    assert JobSettings(redis_url="redis://b").redis_url == "redis://b"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("redis_url", "http://x"),
        ("redis_url", "redis+sentinel://host"),
        ("queue_name", "a b"),
        ("job_timeout_s", 0),
        ("key_prefix", ""),
        ("heartbeat_s", 0),
        ("store_url", "gs://house"),
        ("store_url", "s3://house?endpoint=http://minio:9000"),
        ("retention_s", -1),
        ("queue_ttl_s", -1),
        ("upload_retention_s", 0),
    ],
)
def test_values_out_of_range_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as error:
        JobSettings(**{field: value})  # type: ignore[arg-type]  # the point: values of the wrong kind
    assert len(error.value.errors()) == 1
