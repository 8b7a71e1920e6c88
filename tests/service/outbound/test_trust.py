from __future__ import annotations

import pytest

from service.outbound.destinations import Destination
from service.outbound.errors import HostRefusedError, InvalidUrlError
from service.outbound.trust import HostList, Trust


@pytest.mark.parametrize(
    ("host", "is_listed"),
    [
        ("images.example.com", True),
        ("a.cdn.example.com", True),
        ("a.b.cdn.example.com", True),
        ("cdn.example.com", False),
        ("example.com", False),
        ("notimages.example.com", False),
        ("images.example.com.evil.example", False),
        ("evilcdn.example.com", False),
    ],
)
def test_hosts_by_name(host: str, is_listed: bool) -> None:
    assert (host in HostList.of(["Images.Example.com.", "*.cdn.example.com"])) is is_listed


@pytest.mark.parametrize(
    "pattern", ["", "*", "*.", "https://example.com", "example.com:443", "a b", "*.*.com", "bücher.de"]
)
def test_what_is_no_host_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        HostList.of([pattern])


@pytest.mark.parametrize("url", ["https://example.com/x", "https://example.com:80/", "https://8.8.8.8/"])
def test_by_default_https_on_the_usual_ports(url: str) -> None:
    Trust().check(Destination.parse(url))


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:8443/", "https://example.com:22/"])
def test_other_schemes_and_ports_are_for_trusted_hosts(url: str) -> None:
    with pytest.raises(InvalidUrlError):
        Trust().check(Destination.parse(url))
    Trust.of(["example.com"]).check(Destination.parse(url))


def test_a_trusted_address() -> None:
    trust = Trust.of(["10.1.0.0/16", "fd00::/8"])
    for url in ("http://10.1.2.3:9000/", "http://[fd00::1]:9000/"):
        trust.check(Destination.parse(url))
    with pytest.raises(HostRefusedError):
        trust.check(Destination.parse("https://10.2.0.1/"))
    with pytest.raises(InvalidUrlError):  # a name says nothing about the network
        trust.check(Destination.parse("http://hooks.internal/"))
    trust.check_addresses("hooks.internal", ["10.1.0.9", "fd00::2"])
    with pytest.raises(HostRefusedError):
        trust.check_addresses("hooks.internal", ["10.1.0.9", "10.2.0.9"])


def test_a_trusted_name_may_be_private_and_no_metadata_server() -> None:
    trust = Trust.of(["hooks.internal"])
    trust.check_addresses("hooks.internal", ["10.0.0.1", "127.0.0.1", "::1", "fd00::1", "8.8.8.8"])
    for address in ("169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "255.255.255.255"):
        with pytest.raises(HostRefusedError):
            trust.check_addresses("hooks.internal", [address])
    with pytest.raises(HostRefusedError):
        trust.check_addresses("other.internal", ["10.0.0.1"])
