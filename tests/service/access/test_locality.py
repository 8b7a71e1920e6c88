from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from service.access.locality import is_local


def request(
    *, peer: str | None = "127.0.0.1", server: str = "127.0.0.1", host: str = "127.0.0.1:8000", **headers: str
) -> Request:
    sent = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope: dict[str, Any] = {
        "type": "http",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": (peer, 50_000) if peer else None,
        "server": (server, None) if server.startswith("/") else (server, 8000),
    }
    return Request(scope)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_local(address: str) -> None:
    assert is_local(request(peer=address, server=address))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "a.localhost", "127.0.0.1", "[::1]:8000"])
def test_a_name_of_this_machine_is_local(host: str) -> None:
    assert is_local(request(host=host))


def test_a_unix_socket_is_local() -> None:
    assert is_local(request(peer=None, server="/run/api.sock", host="api"))


@pytest.mark.parametrize(
    "peer",
    ["192.168.0.7", "10.0.0.1", "172.17.0.1", "203.0.113.9", "fe80::1", "::ffff:192.168.0.7", "testclient", None],
)
def test_another_machine_is_not(peer: str | None) -> None:
    assert not is_local(request(peer=peer))


def test_another_address_of_this_machine_is_not() -> None:
    assert not is_local(request(server="192.168.0.7"))


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example", "localhost.example", "", "[::1"])
def test_a_foreign_name_for_this_machine_is_not(host: str) -> None:
    assert not is_local(request(host=host))


@pytest.mark.parametrize("header", ["forwarded", "via", "x_forwarded_for", "x_forwarded_host", "x_real_ip"])
@pytest.mark.parametrize("server", ["127.0.0.1", "/run/api.sock"])
def test_what_a_proxy_passed_on_is_not(header: str, server: str) -> None:
    assert not is_local(request(server=server, **{header: "127.0.0.1"}))


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_a_page_of_this_machine_is_local(origin: str) -> None:
    assert is_local(request(origin=origin))


@pytest.mark.parametrize("origin", ["https://attacker.example", "https://localhost.example", "null", "", "http://[::1"])
@pytest.mark.parametrize("server", ["127.0.0.1", "/run/api.sock"])
def test_a_foreign_page_in_a_browser_of_this_machine_is_not(origin: str, server: str) -> None:
    assert not is_local(request(server=server, origin=origin))
