"""Images that are named by a URL."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Final
from urllib.parse import urljoin

from service.outbound.caller import Answer, Caller
from service.outbound.destinations import Destination
from service.outbound.errors import BusyError, HostRefusedError, UnreachableError
from service.outbound.network import Deadline
from service.outbound.trust import HostList

__all__ = ["ImageFetcher"]

MAX_REDIRECTS: Final = 3
MAX_FETCHES: Final = 8
"""At the same time: a thread of the API waits for each."""

_REDIRECTS: Final = (301, 302, 303, 307, 308)


class ImageFetcher:
    """Fetches images from the hosts that the operator has listed; of any others none.

    Args:
        caller: makes the calls.
        hosts: the list.
        within_s: how long fetching an image may take in all, seconds.
        max_bytes: how long the image's file may be.
    """

    def __init__(self, caller: Caller, hosts: HostList, *, within_s: float, max_bytes: int) -> None:
        self._caller = caller
        self._hosts = hosts
        self._within_s = within_s
        self._max_bytes = max_bytes
        self._slots = BoundedSemaphore(MAX_FETCHES)

    def fetch(self, url: str) -> bytes:
        """The file at ``url``.

        Raises:
            AnswerTooLongError: it has more bytes than an image may have.
            BusyError: too many images are being fetched just now.
            HostRefusedError: the host is not listed or not public; or one to which this one redirects.
            InvalidUrlError: the URL is none that is ever called.
            UnreachableError: there is no answer, not in time, or none with a file.
        """
        deadline = Deadline(self._within_s)
        if not self._slots.acquire(blocking=False):
            raise BusyError(f"{MAX_FETCHES} images are being fetched already; try again later")
        try:
            for _ in range(1 + MAX_REDIRECTS):
                found = self._ask(url, deadline)
                if isinstance(found, bytes):
                    return found
                url = found
        finally:
            self._slots.release()
        raise UnreachableError(f"it redirects more than {MAX_REDIRECTS} times")

    def _ask(self, url: str, deadline: Deadline) -> bytes | str:
        """The file at ``url``, or to which other URL that redirects."""
        destination = Destination.parse(url)
        if destination.host not in self._hosts:
            listed = ", ".join(self._hosts.patterns) or "none; the operator has listed no hosts"
            raise HostRefusedError(f"{destination.host} is not among the hosts that are allowed: {listed}")
        headers = {"Accept": "image/*"}
        with self._caller.call("GET", destination, deadline=deadline, headers=headers) as answer:
            if answer.status in _REDIRECTS:
                return _redirected(url, answer)
            if answer.status != 200:
                raise UnreachableError(f"it answers with status {answer.status}")
            return answer.read(max_bytes=self._max_bytes)


def _redirected(url: str, answer: Answer) -> str:
    target = answer.headers.get("location")
    if not target:
        raise UnreachableError(f"it answers with status {answer.status} and says not to where")
    try:
        return urljoin(url, target)
    except ValueError as error:
        raise UnreachableError("it redirects to what is no URL") from error
