"""The client of programs that do other things meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, Unpack

import httpx

from fixlip.client import _operations as operations
from fixlip.client._answers import error_of, shown, transport_errors
from fixlip.client._async_batches import AsyncBatches
from fixlip.client._comparisons import Comparison, FigureKind, comparison, comparison_figure
from fixlip.client._connection import LONG_POLL_S, Patience, http_options, succeeded
from fixlip.client._files import atomic_file, files_of, interactions
from fixlip.client._following import QUIET_S, Following
from fixlip.client._operations import Exchange, JobOrId, Operation
from fixlip.client._retries import async_retrying
from fixlip.client._submissions import Image, Submission, named_bytes, submit
from fixlip.client.errors import ConflictError
from fixlip.client.models import Explained, Interactions, Job, Method, Metric, Model, Quota, Result, Upload

__all__ = ["AsyncClient"]

T = TypeVar("T")


class AsyncClient:
    """:class:`~fixlip.client.Client` for asyncio: the same methods, which are awaited or iterated over with ``async``.

    Args:
        url: where it answers; by default FIXLIP_URL, else this machine's port 8000.
        api_key: by default FIXLIP_API_KEY; empty for none.
        timeout_s: for each try, to connect and between two parts of the answer.
        retry_for_s: for how long a request is tried again; 0 for a single try.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        retry_for_s: float = 60.0,
    ) -> None:
        self._http = httpx.AsyncClient(**http_options(url, api_key, timeout_s))
        self._retry_for_s = retry_for_s
        self.batches = AsyncBatches(self._do, self._fetch_surely)
        """Many explanations that are asked for as one."""

    @property
    def url(self) -> str:
        """Where the service answers, without a name and password."""
        return str(shown(self._http.base_url)).rstrip("/")

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def explain(
        self,
        *,
        within_s: float | None = 600.0,
        on_progress: Callable[[Job], None] | None = None,
        **submission: Unpack[Submission],
    ) -> Explained:
        """As :meth:`Client.explain <fixlip.client.Client.explain>`."""
        submitted = job = await self.submit(**submission)
        if on_progress is None:
            job = await self.wait(submitted, within_s=within_s)
        else:
            async for job in self.follow(submitted, within_s=within_s):
                on_progress(job)
        return Explained(succeeded(job), await self.result(job))

    async def submit(self, **submission: Unpack[Submission]) -> Job:
        """As :meth:`Client.submit <fixlip.client.Client.submit>`."""
        return await self._do(submit(submission))

    async def get(self, job: JobOrId) -> Job:
        """How a job stands."""
        return await self._do(operations.get(job))

    async def wait(self, job: JobOrId, *, within_s: float | None = None) -> Job:
        """As :meth:`Client.wait <fixlip.client.Client.wait>`."""
        patience = Patience(within_s)
        while not (look := await self._do(operations.look(job, wait_s=patience.at_most(LONG_POLL_S)))).job.is_final:
            patience.check(look.job)
            await asyncio.sleep(patience.at_most(look.pause_s))
        return look.job

    async def follow(self, job: JobOrId, *, within_s: float | None = None) -> AsyncIterator[Job]:
        """As :meth:`Client.follow <fixlip.client.Client.follow>`."""
        patience = Patience(within_s)
        following = Following(await self.get(job))
        yield following.job
        while not following.job.is_final:
            patience.check(following.job)
            if following.is_polling:
                for state in following.polled(await self._do(operations.look(job))):
                    yield state
            else:
                async for state in self._events(following, patience):
                    yield state
            await asyncio.sleep(patience.at_most(following.pause_s))

    async def cancel(self, job: JobOrId) -> Job:
        """As :meth:`Client.cancel <fixlip.client.Client.cancel>`."""
        exchange = Exchange(operations.cancel(job), self._http)
        try:
            return await self._repeat(exchange)
        except ConflictError as error:
            if not exchange.has_canceled(error):
                raise
            return await self.get(job)

    async def delete(self, job: JobOrId) -> None:
        """As :meth:`Client.delete <fixlip.client.Client.delete>`."""
        await self._do(operations.delete(job))

    async def jobs(
        self, *, status: str | None = None, model: str | None = None, method: str | None = None, page_size: int = 50
    ) -> AsyncIterator[Job]:
        """As :meth:`Client.jobs <fixlip.client.Client.jobs>`."""
        token: str | None = ""
        while token is not None:
            page = await self._do(
                operations.page(token, status=status, model=model, method=method, page_size=page_size)
            )
            for job in page.items:
                yield job
            token = page.next_page_token

    async def result(self, job: JobOrId) -> Result:
        """The result of a job that has succeeded."""
        return await self._do(operations.result(job))

    async def audit(self, job: JobOrId) -> dict[str, Any]:
        """The audit record of a job that has succeeded, which `fixlip verify` checks."""
        return await self._do(operations.audit(job))

    async def report(self, job: JobOrId, *, pairs: bool = True) -> dict[str, Any]:
        """As :meth:`Client.report <fixlip.client.Client.report>`."""
        return await self._do(operations.report(job, pairs=pairs))

    async def report_html(self, job: JobOrId) -> bytes:
        """The report of a job that has succeeded: a page in one file, which needs no service."""
        return await self._do(operations.report_html(job))

    async def view(self, job: JobOrId) -> bytes:
        """The part of the picture that the model saw: a PNG file."""
        return await self._do(operations.view(job))

    async def interactions(self, job: JobOrId) -> Interactions:
        """As :meth:`Client.interactions <fixlip.client.Client.interactions>`."""
        return await self._do(interactions(job))

    async def interactions_npz(self, job: JobOrId) -> bytes:
        """The same as a file, which `fixlip_core` reads."""
        return await self._do(operations.interactions_npz(job))

    async def download(self, job: JobOrId, folder: Path) -> list[Path]:
        """As :meth:`Client.download <fixlip.client.Client.download>`."""
        files = files_of(succeeded(await self.get(job)))
        for name, path in files.items():
            await self._fetch_surely(path, folder / name)
        return [folder / name for name in files]

    async def compare(self, jobs: Sequence[JobOrId], *, with_pairs: bool = False) -> Comparison:
        """As :meth:`Client.compare <fixlip.client.Client.compare>`."""
        return await self._do(comparison(jobs, with_pairs=with_pairs))

    async def comparison_figure(self, jobs: Sequence[JobOrId], *, kind: FigureKind = "png") -> bytes:
        """As :meth:`Client.comparison_figure <fixlip.client.Client.comparison_figure>`."""
        return await self._do(comparison_figure(jobs, kind=kind))

    async def upload(self, image: Image) -> Upload:
        """As :meth:`Client.upload <fixlip.client.Client.upload>`."""
        return await self._do(operations.upload(*named_bytes(image)))

    async def get_upload(self, image: Upload | str) -> Upload:
        """An uploaded image, until it expires."""
        return await self._do(operations.get_upload(image if isinstance(image, str) else image.id))

    async def delete_upload(self, image: Upload | str) -> None:
        """As :meth:`Client.delete_upload <fixlip.client.Client.delete_upload>`."""
        await self._do(operations.delete_upload(image if isinstance(image, str) else image.id))

    async def models(self) -> tuple[Model, ...]:
        """The models that the service has."""
        return await self._do(operations.models())

    async def methods(self) -> tuple[Method, ...]:
        """The methods that the service has."""
        return await self._do(operations.methods())

    async def method(self, name: str) -> Method:
        """One method."""
        return await self._do(operations.method(name))

    async def metrics(self) -> tuple[Metric, ...]:
        """The metrics by which the service judges explanations."""
        return await self._do(operations.metrics())

    async def quotas(self) -> tuple[Quota, ...]:
        """What the tenant may have, and how much of it is used."""
        return await self._do(operations.quotas())

    async def _do(self, operation: Operation[T]) -> T:
        return await self._repeat(Exchange(operation, self._http))

    async def _repeat(self, exchange: Exchange[T]) -> T:
        return await async_retrying(self._retry_for_s)(self._try, exchange)

    async def _try(self, exchange: Exchange[T]) -> T:
        with transport_errors(self._http):
            response = await self._http.send(exchange.request())
        return exchange.answer(response)

    async def _events(self, following: Following, patience: Patience) -> AsyncIterator[Job]:
        """One stream of events, until it ends, breaks or tells of the job's end."""
        path, limit_s = operations.events_path(following.job), patience.at_most(QUIET_S)
        try:
            async with self._http.stream("GET", path, headers=following.headers, timeout=limit_s) as response:
                if following.opened(response):
                    async for chunk in response.aiter_bytes():
                        for state in following.fed(chunk):
                            yield state
                        if following.job.is_final:
                            return
                        patience.check(following.job)
        except httpx.RequestError:
            pass  # the next stream goes on where this one broke
        following.closed()

    async def _fetch_surely(self, path: str, target: Path) -> None:
        await async_retrying(self._retry_for_s)(self._fetch, path, target)

    async def _fetch(self, path: str, target: Path) -> None:
        with transport_errors(self._http):
            async with self._http.stream("GET", path) as response:
                if not response.is_success:
                    await response.aread()
                    raise error_of(response)
                with atomic_file(target) as file:
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)
