from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler

import pytest

from service.outbound.caller import Caller
from service.outbound.errors import AnswerTooLongError, BusyError, HostRefusedError, InvalidUrlError, UnreachableError
from service.outbound.images import MAX_FETCHES, MAX_REDIRECTS, ImageFetcher
from service.outbound.trust import HostList, Trust
from tests.support.receiver import Received, Receiver, answer

LOCAL = Trust.of(["127.0.0.0/8", "localhost"])


def fetcher(*hosts: str, within_s: float = 10, max_bytes: int = 1000) -> ImageFetcher:
    return ImageFetcher(Caller(LOCAL), HostList.of(hosts), within_s=within_s, max_bytes=max_bytes)


def count_down(handler: BaseHTTPRequestHandler, received: Received) -> None:
    """``/3`` redirects to ``/2``, and so on; ``/0`` is the image."""
    left = int(received.path.strip("/"))
    if left:
        answer(handler, 302, b"moved", Location=f"/{left - 1}")
    else:
        answer(handler, 200, b"the image")


@pytest.mark.parametrize("redirects", range(MAX_REDIRECTS + 1))
def test_redirects_are_followed(redirects: int) -> None:
    with Receiver(count_down) as receiver:
        assert fetcher("127.0.0.1").fetch(receiver.url(f"/{redirects}")) == b"the image"
        assert [received.method for received in receiver.received] == ["GET"] * (redirects + 1)


def test_so_many_redirects_and_no_more() -> None:
    with Receiver(count_down) as receiver:
        with pytest.raises(UnreachableError, match="redirects more than 3 times"):
            fetcher("127.0.0.1").fetch(receiver.url(f"/{MAX_REDIRECTS + 1}"))
        assert receiver.connections == MAX_REDIRECTS + 1


@pytest.mark.parametrize(("hosts", "told"), [((), "the operator has listed no hosts"), (("a.example",), "a.example")])
def test_a_host_that_is_not_listed_is_not_called(hosts: tuple[str, ...], told: str) -> None:
    with Receiver() as receiver:
        with pytest.raises(HostRefusedError, match=told):
            fetcher(*hosts).fetch(receiver.url())
        assert receiver.connections == 0


def test_a_redirect_to_a_host_that_is_not_listed_is_not_followed() -> None:
    with Receiver() as second:
        elsewhere = f"http://localhost:{second.port}/"
        with Receiver(lambda handler, _: answer(handler, 302, Location=elsewhere)) as first:
            with pytest.raises(HostRefusedError, match="localhost is not among the hosts"):
                fetcher("127.0.0.1").fetch(first.url())
            assert second.connections == 0
            fetcher_of_both = fetcher("127.0.0.1", "localhost")
            with pytest.raises(UnreachableError, match="status 204"):
                fetcher_of_both.fetch(first.url())
            assert second.connections == 1


def test_a_redirect_to_nowhere() -> None:
    with (
        Receiver(lambda handler, _: answer(handler, 302)) as receiver,
        pytest.raises(UnreachableError, match="to where"),
    ):
        fetcher("127.0.0.1").fetch(receiver.url())


@pytest.mark.parametrize("status", [204, 206, 304, 403, 404, 500])
def test_an_answer_without_the_image(status: int) -> None:
    with (
        Receiver(lambda handler, _: answer(handler, status)) as receiver,
        pytest.raises(UnreachableError, match=f"status {status}"),
    ):
        fetcher("127.0.0.1").fetch(receiver.url())


def test_an_image_may_be_so_long_and_no_longer() -> None:
    with Receiver(lambda handler, _: answer(handler, 200, b"x" * 1001)) as receiver:
        with pytest.raises(AnswerTooLongError):
            fetcher("127.0.0.1").fetch(receiver.url())
        assert len(fetcher("127.0.0.1", max_bytes=1001).fetch(receiver.url())) == 1001


def test_a_url_that_is_none() -> None:
    with pytest.raises(InvalidUrlError):
        fetcher("127.0.0.1").fetch("not a URL")


def test_redirects_do_not_prolong_the_time() -> None:
    def slow(handler: BaseHTTPRequestHandler, received: Received) -> None:
        threading.Event().wait(0.3)
        count_down(handler, received)

    with Receiver(slow) as receiver, pytest.raises(UnreachableError, match="took too long"):
        fetcher("127.0.0.1", within_s=0.7).fetch(receiver.url("/3"))


def test_a_bounded_number_at_once() -> None:
    is_over = threading.Event()

    def hold(handler: BaseHTTPRequestHandler, _: Received) -> None:
        is_over.wait(10)
        answer(handler, 200, b"late")

    with Receiver(hold) as receiver:
        one = fetcher("127.0.0.1")
        threads = [threading.Thread(target=one.fetch, args=(receiver.url(),)) for _ in range(MAX_FETCHES)]
        for thread in threads:
            thread.start()
        while receiver.connections < MAX_FETCHES:
            is_over.wait(0.01)
        with pytest.raises(BusyError, match="8 images"):
            one.fetch(receiver.url())
        is_over.set()
        for thread in threads:
            thread.join()
        assert one.fetch(receiver.url()) == b"late"
        assert receiver.connections == MAX_FETCHES + 1
