"""HTTP calls to hosts that clients name."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from ssl import SSLContext
from typing import Final

import httpcore

from service.outbound.destinations import Destination
from service.outbound.errors import AnswerTooLongError, UnreachableError
from service.outbound.network import Deadline, GuardedNetwork, Resolver, look_up
from service.outbound.trust import Trust

__all__ = ["Answer", "Caller"]

_USER_AGENT: Final = f"fixlip/{importlib.metadata.version('fixlip')}"


class Answer:
    """What the other side says: its status and headers, and the body for as long as the call is open."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response
        self.status: int = response.status
        self.headers: Mapping[str, str] = {
            name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers
        }

    def read(self, *, max_bytes: int) -> bytes:
        """The whole body.

        Raises:
            AnswerTooLongError: it is longer; what is said of its length counts, and else what comes.
            UnreachableError: it broke off or took too long.
        """
        announced = self.headers.get("content-length", "")
        received = bytearray()
        if not (announced.isdecimal() and int(announced) > max_bytes):
            with _told_as_unreachable():
                for part in self._response.iter_stream():
                    received += part
                    if len(received) > max_bytes:
                        break
                else:
                    return bytes(received)
        raise AnswerTooLongError(f"the answer is longer than the {max_bytes:,} bytes that are accepted")


class Caller:
    """Calls that go where ``trust`` allows, through no proxy, follow nothing, and end in time.

    May be used from several threads. Each call has a connection of its own.

    Args:
        trust: what the operator allows besides public addresses.
        resolve: finds the addresses of a host.
        network: connects to them.
        tls: whom to believe who they are; by default, whom the system and certifi's list do.
    """

    def __init__(
        self,
        trust: Trust,
        *,
        resolve: Resolver = look_up,
        network: httpcore.NetworkBackend | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        self.trust = trust
        self._resolve = resolve
        self._network = network or httpcore.SyncBackend()
        self._tls = tls

    @contextmanager
    def call(
        self,
        method: str,
        to: Destination,
        *,
        deadline: Deadline,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Iterator[Answer]:
        """Ask, and have the answer's status and headers.

        Raises:
            HostRefusedError: the host may not be called.
            InvalidUrlError: nor may its scheme or its port.
            UnreachableError: it cannot be found, does not answer in time, or not as HTTP has it.
        """
        self.trust.check(to)
        network = GuardedNetwork(self.trust, deadline, resolve=self._resolve, network=self._network)
        url = httpcore.URL(scheme=to.scheme.encode(), host=to.host.encode(), port=to.port, target=to.target.encode())
        sent = {"Host": to.authority, "User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **headers}
        tls = self._tls or _usual_tls()
        with (
            _told_as_unreachable(),
            httpcore.ConnectionPool(tls, max_connections=1, network_backend=network) as pool,
            pool.stream(method, url, headers=list(sent.items()), content=content) as response,
        ):
            yield Answer(response)


@cache
def _usual_tls() -> SSLContext:
    """Belief in whom the system and certifi's list believe; reading these takes a while."""
    context = httpcore.default_ssl_context()
    context.load_default_certs()
    return context


@contextmanager
def _told_as_unreachable() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise UnreachableError("it took too long") from error
    except httpcore.NetworkError as error:
        raise UnreachableError(f"it does not answer: {str(error) or type(error).__name__}") from error
    except httpcore.ProtocolError as error:  # whose text has what the other side said, which is not to be passed on
        raise UnreachableError("it does not answer as HTTP has it") from error
