"""Whether a request was made on this machine, by one of its own programs."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

__all__ = ["is_local"]

_PASSED_ON: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local(request: HTTPConnection) -> bool:
    """Whether this machine itself asks: over its loopback interface or a unix socket, and for nobody else.

    What a proxy passed on may come from anywhere. So may what a browser sends to a foreign name that has this machine's
    address: such a request names the foreign host. And a foreign page has the browser post to this machine's own name:
    such a request names the page's origin.
    """
    if any(name in request.headers for name in _PASSED_ON) or _is_of_foreign_page(request):
        return False
    server = request.scope.get("server")
    if server is not None and server[1] is None:  # a unix socket: its file's permissions say who may use it
        return True
    peer = request.client.host if request.client else ""
    named = _host_of(f"//{request.headers.get('host', '')}")
    return all(map(_is_loopback, (peer, server[0] if server else "", named)))


def _is_of_foreign_page(request: HTTPConnection) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and not _is_loopback(_host_of(origin))


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@lru_cache(64)  # every request asks for the same few hosts
def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
