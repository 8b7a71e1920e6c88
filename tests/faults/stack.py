"""The whole service as processes of this machine, each of which can be taken away."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

import httpx
from redis import Redis

from tests.faults.parts import Part, RedisPart, free_port, python
from tests.faults.proxy import Proxy
from tests.support.processes import wait_until

__all__ = ["Stack"]

READY_WITHIN_S: Final = 60.0


class Stack:
    """A redis-server, an API and some workers.

    Args:
        folder: their files.
        workers: how many workers.
        heartbeat_s: of the workers; one that misses three is taken for dead.
        slots: how many jobs each of them runs at once.
        row_s: time that a masked row takes.
        data: directory of the jobs' files, where it is not to be below ``folder``.
        behind_proxy: whether each worker has a :class:`Proxy` between itself and Redis.
        environment: more settings, for all.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        heartbeat_s: float = 1.0,
        slots: int = 2,
        row_s: float = 0.01,
        data: Path | None = None,
        behind_proxy: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data or folder / "data"
        self.heartbeat_s = heartbeat_s
        logs = folder / "logs"
        logs.mkdir(parents=True)
        self._exits = ExitStack()
        self.redis = RedisPart(folder / "redis", logs)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {
            "FIXLIP_DATA_DIR": str(self.data),
            "FIXLIP_HEARTBEAT_S": str(heartbeat_s),
            "FIXLIP_CONCURRENCY": str(slots),
            "FIXLIP_LOG_LEVEL": "warning",
            "FAULTS_ROW_S": str(row_s),
            **(environment or {}),
        }
        at_redis = self._environment | {"REDIS_URL": self.redis.url}
        serve = python("fixlip", "serve", "--port", str(port))
        # The HTTP server ends by the very signal, once it is done with its last request.
        self.api = Part("api", serve, at_redis, logs, good_ends=(-signal.SIGTERM,))
        self.proxies = [Proxy(self.redis.port) for _ in range(workers if behind_proxy else 0)]
        urls = [proxy.url for proxy in self.proxies] or [self.redis.url] * workers
        self.workers = [
            Part(f"worker-{i}", python("tests.faults.worker"), self._environment | {"REDIS_URL": url}, logs)
            for i, url in enumerate(urls)
        ]

    @property
    def parts(self) -> list[Part]:
        """All processes, in the order in which they start."""
        return [self.redis, self.api, *self.workers]

    @property
    def liveness_s(self) -> float:
        """Seconds of silence after which a worker is taken for dead."""
        return 3 * self.heartbeat_s

    def __enter__(self) -> Stack:
        with ExitStack() as exits:
            for proxy in self.proxies:
                exits.enter_context(proxy)
            for part in self.parts:
                exits.callback(_end, part)
                part.start()
            self.wait_until_ready()
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exits.close()

    def wait_until_ready(self) -> None:
        """Until the API answers and all workers have announced themselves."""
        wait_until(self._is_ready, within_s=READY_WITHIN_S)

    def client(self) -> Redis:
        """A connection to Redis for those who look on."""
        return self.redis.client()

    def _is_ready(self) -> bool:
        for part in (self.api, *self.workers):
            assert part.ended is None, f"{part.name} ended with {part.ended}: {part.log.read_text()[-2000:]}"
        try:
            if not httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success:
                return False
            models = httpx.get(f"{self.url}/v1/models", timeout=5, trust_env=False).json()["items"]
        except httpx.TransportError:
            return False
        return bool(models) and all(model["workers"] >= len(self.workers) for model in models)


def _end(part: Part) -> None:
    if part.ended is None:
        part.kill()
