"""Where the store is, by its URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["Bucket", "Location", "locate"]

_OPTIONS: Final = ("allow_http", "ca_file", "endpoint", "region")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket that speaks S3, or a part of it. Credentials come from the standard AWS_* variables.

    Attributes:
        name: the bucket's.
        prefix: begins the name of every object, empty for none.
        endpoint: URL of the server; None: Amazon's of the region.
        region: None: of the environment, or us-east-1.
        allow_http: whether the endpoint may be one without TLS.
        ca_file: certificates in PEM of authorities that are believed besides the usual ones.
    """

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    allow_http: bool = False
    ca_file: Path | None = None


Location: TypeAlias = Path | Bucket


def locate(url: str) -> Location:
    """What a store's URL says: ``file:///directory`` or ``s3://bucket/prefix?endpoint=URL&region=NAME``.

    Raises:
        ValueError: it is neither, or its endpoint is without TLS and ``allow_http=true`` is not said.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path and not parts.query:
        return Path(unquote(parts.path))
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError("the store's URL must be file:///DIRECTORY or s3://BUCKET/PREFIX?endpoint=URL&region=NAME")
    if parts.username is not None or parts.port is not None:
        raise ValueError("the store's URL has no credentials: they come from AWS_ACCESS_KEY_ID and the like")
    return _bucket(parts.netloc, unquote(parts.path).strip("/"), dict(parse_qsl(parts.query, keep_blank_values=True)))


def _bucket(name: str, prefix: str, options: dict[str, str]) -> Bucket:
    if unknown := options.keys() - set(_OPTIONS):
        names = ", ".join(sorted(unknown))
        raise ValueError(f"unknown options of the store's URL: {names}; known: {', '.join(_OPTIONS)}")
    allow_http = options.get("allow_http", "false")
    if allow_http not in ("true", "false"):
        raise ValueError("allow_http must be true or false")
    endpoint = options.get("endpoint")
    if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ValueError("endpoint must be a URL: https://HOST")
    if endpoint is not None and urlsplit(endpoint).scheme == "http" and allow_http == "false":
        raise ValueError("endpoint is without TLS, so images would cross the network in plain text; use https://")
    ca_file = options.get("ca_file")
    return Bucket(
        name=name,
        prefix=prefix,
        endpoint=endpoint,
        region=options.get("region"),
        allow_http=allow_http == "true",
        ca_file=Path(ca_file) if ca_file else None,
    )
