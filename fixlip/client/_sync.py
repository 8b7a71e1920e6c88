"""The client of programs that wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, Unpack

import httpx

from fixlip.client import _operations as operations
from fixlip.client._answers import error_of, shown, transport_errors
from fixlip.client._batches import Batches
from fixlip.client._comparisons import Comparison, FigureKind, comparison, comparison_figure
from fixlip.client._connection import LONG_POLL_S, Patience, http_options, succeeded
from fixlip.client._files import atomic_file, files_of, interactions
from fixlip.client._following import QUIET_S, Following
from fixlip.client._operations import Exchange, JobOrId, Operation
from fixlip.client._retries import retrying
from fixlip.client._submissions import Image, Submission, named_bytes, submit
from fixlip.client.errors import ConflictError
from fixlip.client.models import Explained, Interactions, Job, Method, Metric, Model, Quota, Result, Upload

__all__ = ["Client"]

T = TypeVar("T")


class Client:
    """A service. Every method raises :class:`~fixlip.client.ServiceError` or one of its kinds.

    What may pass is tried again: a connection that breaks, a service that is busy or restarts, a quota that is soon
    free again. Every request is safe to repeat.

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
        self._http = httpx.Client(**http_options(url, api_key, timeout_s))
        self._retry_for_s = retry_for_s
        self.batches = Batches(self._do, self._fetch_surely)
        """Many explanations that are asked for as one."""

    @property
    def url(self) -> str:
        """Where the service answers, without a name and password."""
        return str(shown(self._http.base_url)).rstrip("/")

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def explain(
        self,
        *,
        within_s: float | None = 600.0,
        on_progress: Callable[[Job], None] | None = None,
        **submission: Unpack[Submission],
    ) -> Explained:
        """Submit, wait and fetch the result; see :class:`~fixlip.client.Submission` for the arguments.

        Args:
            within_s: seconds that the job may take, waiting in the queue included; None for as long as it takes.
            on_progress: is given the job whenever it has got on.
            submission: what is to be explained, and how.

        Raises:
            JobNotSucceededError: the job failed, was canceled or expired.
            WaitTimeoutError: it has not ended in time; it goes on.
        """
        submitted = job = self.submit(**submission)
        if on_progress is None:
            job = self.wait(submitted, within_s=within_s)
        else:
            for job in self.follow(submitted, within_s=within_s):
                on_progress(job)
        return Explained(succeeded(job), self.result(job))

    def submit(self, **submission: Unpack[Submission]) -> Job:
        """Submit an image and a caption: ``submit(image=Path("photo.jpg"), caption="a dog on a red sofa")``.

        Raises:
            OSError: the image's file cannot be read.
        """
        return self._do(submit(submission))

    def get(self, job: JobOrId) -> Job:
        """How a job stands."""
        return self._do(operations.get(job))

    def wait(self, job: JobOrId, *, within_s: float | None = None) -> Job:
        """The job once it has ended, however it did.

        Raises:
            WaitTimeoutError: it has not within ``within_s`` seconds.
        """
        patience = Patience(within_s)
        while not (look := self._do(operations.look(job, wait_s=patience.at_most(LONG_POLL_S)))).job.is_final:
            patience.check(look.job)
            time.sleep(patience.at_most(look.pause_s))
        return look.job

    def follow(self, job: JobOrId, *, within_s: float | None = None) -> Iterator[Job]:
        """The job as it stands whenever it has got on, until it has ended; the last one has.

        Raises:
            WaitTimeoutError: it has not within ``within_s`` seconds, which is noticed up to 15 s late.
        """
        patience = Patience(within_s)
        following = Following(self.get(job))
        yield following.job
        while not following.job.is_final:
            patience.check(following.job)
            if following.is_polling:
                yield from following.polled(self._do(operations.look(job)))
            else:
                yield from self._events(following, patience)
            time.sleep(patience.at_most(following.pause_s))

    def cancel(self, job: JobOrId) -> Job:
        """Ask that a job be stopped; a running one stops within seconds."""
        exchange = Exchange(operations.cancel(job), self._http)
        try:
            return self._repeat(exchange)
        except ConflictError as error:
            if not exchange.has_canceled(error):
                raise
            return self.get(job)

    def delete(self, job: JobOrId) -> None:
        """Remove a job that has ended, its inputs and its results."""
        self._do(operations.delete(job))

    def jobs(
        self, *, status: str | None = None, model: str | None = None, method: str | None = None, page_size: int = 50
    ) -> Iterator[Job]:
        """The jobs, the newest first, of this status, model and method where they are given; asked for by pages."""
        token: str | None = ""
        while token is not None:
            page = self._do(operations.page(token, status=status, model=model, method=method, page_size=page_size))
            yield from page.items
            token = page.next_page_token

    def result(self, job: JobOrId) -> Result:
        """The result of a job that has succeeded."""
        return self._do(operations.result(job))

    def audit(self, job: JobOrId) -> dict[str, Any]:
        """The audit record of a job that has succeeded, which `fixlip verify` checks."""
        return self._do(operations.audit(job))

    def report(self, job: JobOrId, *, pairs: bool = True) -> dict[str, Any]:
        """What is drawn of a job that has succeeded, the values of all pairs among it if ``pairs`` are wanted."""
        return self._do(operations.report(job, pairs=pairs))

    def report_html(self, job: JobOrId) -> bytes:
        """The report of a job that has succeeded: a page in one file, which needs no service."""
        return self._do(operations.report_html(job))

    def view(self, job: JobOrId) -> bytes:
        """The part of the picture that the model saw: a PNG file."""
        return self._do(operations.view(job))

    def interactions(self, job: JobOrId) -> Interactions:
        """The whole tensor of a job that has succeeded, as NumPy arrays."""
        return self._do(interactions(job))

    def interactions_npz(self, job: JobOrId) -> bytes:
        """The same as a file, which `fixlip_core` reads."""
        return self._do(operations.interactions_npz(job))

    def download(self, job: JobOrId, folder: Path) -> list[Path]:
        """Write a succeeded job's tensor, result and maps to ``folder``; a file that is there is whole.

        Raises:
            JobNotSucceededError: it has none.
            OSError: a file cannot be written.
        """
        files = files_of(succeeded(self.get(job)))
        for name, path in files.items():
            self._fetch_surely(path, folder / name)
        return [folder / name for name in files]

    def compare(self, jobs: Sequence[JobOrId], *, with_pairs: bool = False) -> Comparison:
        """How far the explanations of two to eight jobs of one image and caption agree, on players that they share.

        Args:
            jobs: all have succeeded.
            with_pairs: whether the values of all cross-modal pairs are wanted.
        """
        return self._do(comparison(jobs, with_pairs=with_pairs))

    def comparison_figure(self, jobs: Sequence[JobOrId], *, kind: FigureKind = "png") -> bytes:
        """These explanations side by side, and their differences from the first: an image file."""
        return self._do(comparison_figure(jobs, kind=kind))

    def upload(self, image: Image) -> Upload:
        """Have the service keep an image for jobs to come, which name it by ``image_id``.

        Raises:
            OSError: the image's file cannot be read.
        """
        return self._do(operations.upload(*named_bytes(image)))

    def get_upload(self, image: Upload | str) -> Upload:
        """An uploaded image, until it expires."""
        return self._do(operations.get_upload(image if isinstance(image, str) else image.id))

    def delete_upload(self, image: Upload | str) -> None:
        """Remove an uploaded image; jobs that were submitted with it keep theirs."""
        self._do(operations.delete_upload(image if isinstance(image, str) else image.id))

    def models(self) -> tuple[Model, ...]:
        """The models that the service has."""
        return self._do(operations.models())

    def methods(self) -> tuple[Method, ...]:
        """The methods that the service has."""
        return self._do(operations.methods())

    def method(self, name: str) -> Method:
        """One method."""
        return self._do(operations.method(name))

    def metrics(self) -> tuple[Metric, ...]:
        """The metrics by which the service judges explanations."""
        return self._do(operations.metrics())

    def quotas(self) -> tuple[Quota, ...]:
        """What the tenant may have, and how much of it is used."""
        return self._do(operations.quotas())

    def _do(self, operation: Operation[T]) -> T:
        return self._repeat(Exchange(operation, self._http))

    def _repeat(self, exchange: Exchange[T]) -> T:
        answer: T = retrying(self._retry_for_s)(self._try, exchange)
        return answer

    def _try(self, exchange: Exchange[T]) -> T:
        with transport_errors(self._http):
            response = self._http.send(exchange.request())
        return exchange.answer(response)

    def _events(self, following: Following, patience: Patience) -> Iterator[Job]:
        """One stream of events, until it ends, breaks or tells of the job's end."""
        path, limit_s = operations.events_path(following.job), patience.at_most(QUIET_S)
        try:
            with self._http.stream("GET", path, headers=following.headers, timeout=limit_s) as response:
                if following.opened(response):
                    for chunk in response.iter_bytes():
                        yield from following.fed(chunk)
                        if following.job.is_final:
                            return
                        patience.check(following.job)
        except httpx.RequestError:
            pass  # the next stream goes on where this one broke
        following.closed()

    def _fetch_surely(self, path: str, target: Path) -> None:
        retrying(self._retry_for_s)(self._fetch, path, target)

    def _fetch(self, path: str, target: Path) -> None:
        with transport_errors(self._http), self._http.stream("GET", path) as response:
            if not response.is_success:
                response.read()
                raise error_of(response)
            with atomic_file(target) as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
