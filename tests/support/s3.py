"""A server that speaks S3, for tests: moto's, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import httpx

from fixlip._tied import tied
from tests.support.processes import wait_until

__all__ = ["CREDENTIALS", "Bucket", "s3_server"]

CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
"""Environment of whoever uses it; it lets everybody in."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket.

    Attributes:
        endpoint: URL of the server.
        name: the bucket's.
    """

    endpoint: str
    name: str

    @property
    def store_url(self) -> str:
        """``FIXLIP_STORE_URL`` of a part of it."""
        return f"s3://{self.name}/some/part?endpoint={self.endpoint}&region=us-east-1&allow_http=true"

    def create(self) -> None:
        """Make it; a server lets everybody do so."""
        assert httpx.put(f"{self.endpoint}/{self.name}").is_success

    def keys(self) -> list[str]:
        """Names of all that is in it."""
        listing = ElementTree.fromstring(httpx.get(f"{self.endpoint}/{self.name}?list-type=2").content)
        return [str(key.text) for key in listing.iter("{http://s3.amazonaws.com/doc/2006-03-01/}Key")]


@contextmanager
def s3_server(log: Path, *, tls_file: Path | None = None) -> Iterator[str]:
    """URL of the server, which forgets all when it ends.

    Args:
        log: file for what it says.
        tls_file: its key and certificate, if it is to speak TLS.
    """
    # Its own port 0 is told in its log alone.
    with log.open("w") as file:
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
        if tls_file is not None:
            command += ["--ssl", "--ssl-cert", str(tls_file), "--ssl-key", str(tls_file)]
        process = subprocess.Popen(tied(command), stdout=file, stderr=file)
    try:
        wait_until(lambda: "Running on http" in log.read_text(), within_s=60)
        yield log.read_text().partition("Running on ")[2].split()[0]
    finally:
        process.kill()
        process.wait()
