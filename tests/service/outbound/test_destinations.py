from __future__ import annotations

import pytest

from service.outbound.destinations import Destination
from service.outbound.errors import InvalidUrlError


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("https://example.com", ("https", "example.com", 443, "/")),
        ("HTTPS://EXAMPLE.com:8443/a/b?c=d&e#f", ("https", "example.com", 8443, "/a/b?c=d&e")),
        ("http://example.com./?", ("http", "example.com", 80, "/?")),
        ("https://bücher.example/ä", ("https", "xn--bcher-kva.example", 443, "/%C3%A4")),
        ("https://[2606:4700::1111]:444/", ("https", "2606:4700::1111", 444, "/")),
        ("https://example.com/a@b", ("https", "example.com", 443, "/a@b")),
        ("https://example.com?@evil.example/", ("https", "example.com", 443, "/?@evil.example/")),
    ],
)
def test_a_url_taken_apart(url: str, destination: tuple[str, str, int, str]) -> None:
    assert Destination.parse(url) == Destination(*destination)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://%31%32%37.0.0.1/",
    ],
)
def test_every_way_to_write_an_address_is_that_address(url: str) -> None:
    assert Destination.parse(url).host == "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/path",
        "//example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "data:image/png;base64,QQ==",
        "javascript:alert(1)",
        "unix:///run/docker.sock",
        "https:example.com",
        "https:///example.com",
        "https:\\\\example.com",
        "https://example.com\\@evil.example/",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://example.com@evil.example/",
        "https://exa mple.com/",
        "https://exa\tmple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: evil.example",
        " https://example.com/",
        "https://example.com/\x00",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:x/",
        "https://[fe80::1%25eth0]/",
        "https://[::1",
        "https://256.1.1.1/",
        "https://1.2.3.4.5/",
        "https://./",
        "https://example.com%00.evil.example/",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_what_is_never_called(url: str) -> None:
    with pytest.raises(InvalidUrlError):
        Destination.parse(url)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://example.com:443/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
        ("http://example.com/", "example.com"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_the_header_host(url: str, authority: str) -> None:
    assert Destination.parse(url).authority == authority
