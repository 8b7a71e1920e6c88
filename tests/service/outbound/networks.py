"""Networks of a test's own: where a call would go, if it went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpcore

from service.outbound.errors import UnreachableError

__all__ = ["PUBLIC", "Names", "RecordingNetwork"]

PUBLIC = "93.184.215.14"


class RecordingNetwork(httpcore.NetworkBackend):
    """Notes the addresses that are connected to, and connects to a port of this machine whichever they are."""

    def __init__(self, port: int) -> None:
        self.asked: list[tuple[str, int]] = []
        self._port = port

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self.asked.append((host, port))
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self._port, timeout)


class Names:
    """Knows some hosts; each lookup of one gives the next of its answers, and the last for ever."""

    def __init__(self, known: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self.asked: list[str] = []
        self._known = {name: list(answers) for name, answers in known.items()}

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._known.get(host)
        if answers is None:
            raise UnreachableError("its name is not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]
