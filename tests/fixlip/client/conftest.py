"""Both clients for every test: the asynchronous one behind calls that wait for it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from fixlip.client import AsyncClient, Client
from tests.support.scripted_service import ScriptedService

Connect = Callable[..., Client]


class _Calls:
    """The methods of something asynchronous, each of which is waited for."""

    def __init__(self, runner: asyncio.Runner, target: Any) -> None:
        self._runner = runner
        self._target = target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return _Calls(self._runner, found)

        def call(*arguments: Any, **options: Any) -> Any:
            pending = found(*arguments, **options)
            return self._iterate(pending) if inspect.isasyncgen(pending) else self._runner.run(pending)

        return call

    def _iterate(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        async def step() -> Any:
            return await anext(items, None)

        while (item := self._runner.run(step())) is not None:
            yield item


class Blocking(_Calls):
    """An :class:`AsyncClient` that looks like a :class:`Client`."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(asyncio.Runner(), AsyncClient(url, **options))

    def __enter__(self) -> Blocking:
        self._runner.run(self._target.__aenter__())
        return self

    def __exit__(self, *error: Any) -> None:
        self._runner.run(self._target.__aexit__(*error))
        self._runner.close()


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """``connect(url, ...)``: a client of either kind."""
    with ExitStack() as clients:

        def make(url: str, **options: Any) -> Client:
            client = Client(url, **options) if request.param == "sync" else Blocking(url, **options)
            return cast("Client", clients.enter_context(client))

        yield make


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    """A service that answers as it is told."""
    with ScriptedService() as service:
        yield service


@pytest.fixture
def client(connect: Connect, service: ScriptedService, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of that service, whose pauses are short."""
    monkeypatch.setattr("fixlip.client._retries._backoff", lambda state: 0.01)
    monkeypatch.setattr("fixlip.client._following.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("fixlip.client._operations.POLL_S", 0.01)
    return connect(service.url, api_key="fxl_key", retry_for_s=5.0)
