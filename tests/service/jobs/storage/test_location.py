from __future__ import annotations

from pathlib import Path

import pytest

from service.jobs.storage.location import Bucket, locate


def test_a_directory_and_a_bucket() -> None:
    assert locate("file:///srv/fixlip%20data") == Path("/srv/fixlip data")
    assert locate("s3://house") == Bucket(name="house")
    assert locate("s3://house/a/b/?endpoint=https://s3.example.org:9000&region=eu-1") == Bucket(
        name="house", prefix="a/b", endpoint="https://s3.example.org:9000", region="eu-1"
    )
    assert locate("s3://house?ca_file=/etc/ca.pem") == Bucket(name="house", ca_file=Path("/etc/ca.pem"))


def test_what_is_stored_crosses_the_network_encrypted_unless_the_operator_says_otherwise() -> None:
    plain = "s3://house?endpoint=http://minio:9000"
    with pytest.raises(ValueError, match="without TLS"):
        locate(plain)
    with pytest.raises(ValueError, match="without TLS"):
        locate(f"{plain}&allow_http=false")
    assert locate(f"{plain}&allow_http=true") == Bucket(name="house", endpoint="http://minio:9000", allow_http=True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/srv/data", "must be"),
        ("file://host/srv", "must be"),
        ("file:///srv?x=1", "must be"),
        ("gs://house", "must be"),
        ("s3:///a", "must be"),
        ("s3://key:secret@house", "AWS_ACCESS_KEY_ID"),
        ("s3://house?secret_access_key=x", "unknown options"),
        ("s3://house?endpoint=minio:9000", "https://HOST"),
        ("s3://house?allow_http=yes", "true or false"),
    ],
)
def test_other_urls_are_refused_with_what_is_accepted(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        locate(url)
