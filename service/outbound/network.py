"""The network as calls to strangers see it: checked addresses alone, and no longer than they were given."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

from service.outbound.errors import UnreachableError
from service.outbound.trust import Trust

__all__ = ["Deadline", "GuardedNetwork", "Resolver", "look_up"]

Resolver = Callable[[str, int], Sequence[str]]
"""Finds the addresses of a host; the port is told because some resolvers want to know."""


class Deadline:
    """When a call must have come to its end, whatever it does meanwhile.

    Args:
        within_s: how long it has from now.
    """

    def __init__(self, within_s: float) -> None:
        self._at = time.monotonic() + within_s

    def left_s(self) -> float:
        """Seconds that are left.

        Raises:
            UnreachableError: none.
        """
        left_s = self._at - time.monotonic()
        if left_s <= 0:
            raise UnreachableError("it took too long")
        return left_s


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, by the system's own means.

    Raises:
        UnreachableError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a label that is too long is no OSError
        raise UnreachableError("its name is not known") from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedNetwork(httpcore.NetworkBackend):
    """Looks a host's name up once, checks all its addresses, and connects to one of these: the name is not asked again.

    Args:
        trust: which addresses may be called.
        deadline: when connecting, and all that follows on the connection, must have ended.
        resolve: finds addresses.
        network: connects to them.
    """

    def __init__(
        self, trust: Trust, deadline: Deadline, *, resolve: Resolver = look_up, network: httpcore.NetworkBackend
    ) -> None:
        self._trust = trust
        self._deadline = deadline
        self._resolve = resolve
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to one of the host's addresses, the first that answers.

        Raises:
            HostRefusedError: one of the addresses may not be called; none was.
            UnreachableError: the host has no address, or time is up.
            httpcore.ConnectError: no address answers.
        """
        addresses = _in_time(lambda: self._resolve(host, port), self._deadline)
        self._trust.check_addresses(host, addresses)
        refused: Exception | None = None
        for address in addresses:
            try:
                stream = self._network.connect_tcp(
                    address, port, self._deadline.left_s(), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
            else:
                return _TimedStream(stream, self._deadline)
        raise refused or UnreachableError("its name is not known")


class _TimedStream(httpcore.NetworkStream):
    """A connection on which nothing waits longer than until the deadline, however slowly the other side goes on."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Bytes as they come; none at the end."""
        return self._stream.read(max_bytes, self._deadline.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send the bytes."""
        self._stream.write(buffer, self._deadline.left_s())

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted, the other side being who it says it is."""
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s())
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)


def _in_time(look_up: Callable[[], Sequence[str]], deadline: Deadline) -> Sequence[str]:
    """What a lookup finds; one that lasts too long is left to end by itself, for nothing can stop it."""
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(look_up())
        except Exception as error:
            answers.put(error)

    threading.Thread(target=work, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left_s())
    except queue.Empty:
        raise UnreachableError("its name was not found in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
