from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.s3 import Bucket


@pytest.fixture(params=["directory", "bucket"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty store of either kind."""
    if request.param == "bucket":
        bucket: Bucket = request.getfixturevalue("bucket")
        return bucket.store_url
    return f"file://{tmp_path / 'store'}"
