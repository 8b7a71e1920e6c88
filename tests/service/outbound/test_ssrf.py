"""Requests that a stranger would like this service to make for them: not a single connection is made.

Whatever is connected to is noted, and ends at a receiver that counts as well, and whose certificate would be believed:
nothing but what is tested stands between a URL and it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from service.outbound.caller import Caller
from service.outbound.destinations import Destination
from service.outbound.errors import HostRefusedError, InvalidUrlError, OutboundError, UnreachableError
from service.outbound.images import ImageFetcher
from service.outbound.network import Deadline, Resolver, look_up
from service.outbound.trust import HostList, Trust
from tests.service.outbound.networks import PUBLIC, Names, RecordingNetwork
from tests.support.certificates import server_and_client_tls
from tests.support.receiver import Received, Receiver, Reply, answer

WIDE = "\uff11\uff12\uff17.0.0.1"
LITERALS = {
    "loopback": ["127.0.0.1", "127.8.8.8", "127.0.0.1.", "[::1]", "[0:0:0:0:0:0:0:1]"],
    "any": ["0.0.0.0", "0", "[::]"],
    "private": ["10.0.0.1", "172.16.0.1", "192.168.0.1", "[fc00::1]", "[fd12:3456::1]"],
    "link-local": ["169.254.1.1", "[fe80::1]", "[fe80::1%25eth0]"],
    "metadata": ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "[::ffff:169.254.169.254]"],
    "shared": ["100.64.0.1"],
    "mapped and compatible": ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::7f00:1]"],
    "NAT64, 6to4 and Teredo": ["[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"],
    "decimal": ["2130706433", "2852039166", "3232235521"],
    "octal": ["0177.0.0.1", "017700000001", "0251.0376.0251.0376"],
    "hexadecimal": ["0x7f.0.0.1", "0x7f000001", "0x7f.1", "0xa9fea9fe"],
    "short": ["127.1", "127.0.1", "10.1", "192.168.1"],
    "mixed": ["0x7f.0.0.01", "127.0x0.0.1", "0177.0x0.0.1"],
    "overflowing": ["4294967296", "127.0.0.256", "0x17f000001"],
    "digits and dots of other scripts": ["①②⑦.⓪.⓪.①", "127。0。0。1", WIDE, WIDE.replace(".", "\uff0e"), "127｡0｡0｡1"],
    "escaped": ["%31%32%37.0.0.1", "127%2e0.0.1"],
    "groups": ["224.0.0.1", "255.255.255.255", "[ff02::1]"],
}
NAMES = {
    "private.example": ["10.0.0.5"],
    "loopback.example": ["127.0.0.1"],
    "loopback6.example": ["::1"],
    "zone.example": ["fe80::1%eth0"],
    "mapped.example": ["::ffff:10.0.0.5"],
    "metadata.example": ["169.254.169.254"],
    "mixed.example": [PUBLIC, "10.0.0.5"],
    "mixed6.example": [PUBLIC, "::1"],
    "nobody.example": [],
}
CONFUSING = [
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://public.example/",
    "data:image/png;base64,QQ==",
    "dict://127.0.0.1:6379/info",
    "unix:///run/docker.sock",
    "ldap://public.example/",
    "//public.example/",
    "http:public.example",
    "http:///public.example/",
    "https://user:secret@public.example/",
    "https://public.example@127.0.0.1/",
    "https://127.0.0.1@public.example/",
    "https://public.example:80@127.0.0.1/",
    "https://public.example\\@127.0.0.1/",
    "https://127.0.0.1\\.public.example/",
    "https://public.example\\.127.0.0.1/",
    "https://public.example#@127.0.0.1/ ",
    "https://127.0.0.1#.public.example/",
    "https://127.0.0.1?.public.example/",
    "https://127.0.0.1/.public.example",
    "https://127.0.0.1:443:80/",
    "https://127.0.0.1:0443/",
    "https://127.0.0.1%00.public.example/",
    "https://127.0.0.1%23.public.example/",
    "https://127.0.0.1\t.public.example/",
    "https://127.0.0.1\r\nHost: public.example/",
    "https://[::1].public.example/",
    "https://[127.0.0.1]/",
    "https://public.example:99999/",
    "https://elsewhere.example:6379/",
    "http://elsewhere.example/",
]
REDIRECTS = [
    "http://127.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "https://loopback.example/",
    "https://metadata.example/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://169.254.169.254/",
    "https://user@public.example/",
    "https://unlisted.test/",
    "http://2130706433/",
    "http://[::1]/",
    "//10.0.0.5/",
    "file:///etc/passwd",
    "http://user:secret@public.example/",
    "http://elsewhere.example/",
    "gopher://public.example/",
    "http://[",
]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return server_and_client_tls(
        tmp_path_factory.mktemp("tls"), [*NAMES, "public.example", "elsewhere.example", "*.rebinding.example"]
    )


class Outside:
    """Where calls end, if any are made."""

    def __init__(self, tls: tuple[ssl.SSLContext, ssl.SSLContext], reply: Reply | None = None) -> None:
        self.receiver = Receiver(reply, tls=tls[0])
        self.network = RecordingNetwork(self.receiver.port)
        self.tls = tls[1]

    def caller(self, resolve: Resolver = look_up, trust: Trust = Trust()) -> Caller:  # noqa: B008  # it is immutable
        """Calls that end here."""
        return Caller(trust, resolve=resolve, network=self.network, tls=self.tls)

    def assert_untouched(self) -> None:
        """Fails if there was a connection."""
        assert (self.network.asked, self.receiver.connections) == ([], 0)


@pytest.fixture
def outside(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Outside]:
    outside = Outside(tls)
    with outside.receiver:
        yield outside


def names() -> Names:
    public = {name: [[PUBLIC]] for name in ("public.example", "elsewhere.example")}
    return Names({name: [found] for name, found in NAMES.items()} | public)


def call(caller: Caller, url: str) -> int:
    with caller.call("POST", Destination.parse(url), deadline=Deadline(5), headers={}, content=b"{}") as found:
        return found.status


def test_a_public_host_is_reached(outside: Outside) -> None:
    assert call(outside.caller(names()), "https://public.example/hook?x=1") == 204
    assert outside.network.asked == [(PUBLIC, 443)]
    (received,) = outside.receiver.received
    assert (received.method, received.path, received.headers["host"]) == ("POST", "/hook?x=1", "public.example")


def test_a_host_that_is_not_who_it_should_be_is_told_nothing(outside: Outside) -> None:
    with pytest.raises(UnreachableError, match="certificate"):
        call(outside.caller(Names({"public.test": [[PUBLIC]]})), "https://public.test/")
    assert outside.receiver.received == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", [host for hosts in LITERALS.values() for host in hosts])
def test_an_address_however_it_is_written(host: str, scheme: str, outside: Outside) -> None:
    with pytest.raises((InvalidUrlError, HostRefusedError)):
        call(outside.caller(), f"{scheme}://{host}/")
    outside.assert_untouched()


@pytest.mark.parametrize("host", [*NAMES, "127.0.0.1.nip.example"])
def test_a_name_of_such_an_address(host: str, outside: Outside) -> None:
    with pytest.raises((HostRefusedError, UnreachableError)):
        call(outside.caller(names()), f"https://{host}/")
    outside.assert_untouched()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "localhost.localdomain"])
def test_this_machine_by_name(host: str, outside: Outside) -> None:
    with pytest.raises((HostRefusedError, UnreachableError)):
        call(outside.caller(), f"https://{host}/")
    outside.assert_untouched()


@pytest.mark.parametrize("url", CONFUSING)
def test_a_url_that_programs_read_differently(url: str, outside: Outside) -> None:
    with pytest.raises((InvalidUrlError, HostRefusedError)):
        call(outside.caller(names()), url)
    outside.assert_untouched()


@pytest.mark.parametrize("private", ["127.0.0.1", "169.254.169.254", "::1"])
def test_a_name_that_is_public_when_it_is_checked_and_private_when_it_is_called(private: str, outside: Outside) -> None:
    resolve = Names({"a.rebinding.example": [[PUBLIC], [private]]})
    caller = outside.caller(resolve)
    assert call(caller, "https://a.rebinding.example/") == 204
    assert resolve.asked == ["a.rebinding.example"]  # once: what was checked is what is called
    with pytest.raises(HostRefusedError):  # the next call checks again
        call(caller, "https://a.rebinding.example/")
    assert outside.network.asked == [(PUBLIC, 443)]
    assert outside.receiver.connections == 1


def test_a_proxy_in_the_environment_is_not_asked(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
        monkeypatch.setenv(name.upper(), "http://10.0.0.1:3128")
    assert call(outside.caller(names()), "https://public.example/") == 204
    assert outside.network.asked == [(PUBLIC, 443)]


@pytest.mark.parametrize("target", REDIRECTS)
def test_an_image_that_is_said_to_be_in_such_a_place(target: str, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    outside = Outside(tls, redirect_to(target))
    hosts = HostList.of(["*.example", "127.0.0.1", "10.0.0.5", "169.254.169.254", "localhost"])
    with outside.receiver:
        fetcher = ImageFetcher(outside.caller(names()), hosts, within_s=5, max_bytes=100)
        with pytest.raises(OutboundError):
            fetcher.fetch("https://public.example/photo.png")
        assert outside.network.asked == [(PUBLIC, 443)]
        assert outside.receiver.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_image_that_is_said_to_be_at_the_same_name_which_is_private_by_now(
    status: int, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    outside = Outside(tls, redirect_to("/again", status=status))
    resolve = Names({"a.rebinding.example": [[PUBLIC], ["127.0.0.1"]]})
    with outside.receiver:
        hosts = HostList.of(["*.rebinding.example"])
        fetcher = ImageFetcher(outside.caller(resolve), hosts, within_s=5, max_bytes=100)
        with pytest.raises(HostRefusedError):
            fetcher.fetch("https://a.rebinding.example/")
        assert outside.network.asked == [(PUBLIC, 443)]
        assert outside.receiver.connections == 1


def test_a_redirect_of_a_webhook_is_an_answer_and_no_more(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    outside = Outside(tls, redirect_to("https://public.example/elsewhere"))
    with outside.receiver:
        assert call(outside.caller(names()), "https://public.example/") == 302
        assert outside.receiver.connections == 1


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "localhost"])
def test_who_is_allowed_is_reached(allowed: str) -> None:
    with Receiver() as receiver:
        host = "localhost" if allowed == "localhost" else "127.0.0.1"
        url = f"http://{host}:{receiver.port}/hook"
        with pytest.raises(OutboundError):
            call(Caller(Trust()), url)
        assert receiver.connections == 0
        assert call(Caller(Trust.of([allowed])), url) == 204
        assert [(request.method, request.path) for request in receiver.received] == [("POST", "/hook")]


def redirect_to(target: str, *, status: int = 302) -> Reply:
    def redirect(handler: BaseHTTPRequestHandler, _: Received) -> None:
        answer(handler, status, Location=target)

    return redirect
