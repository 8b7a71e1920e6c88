"""The operations of the API: how each is asked for, and how its answer is read. No input, no output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar
from urllib.parse import quote

import httpx

from fixlip.client._answers import error_of, model_parser, retry_after_s
from fixlip.client.errors import ServiceError
from fixlip.client.models import (
    Job,
    JobPage,
    Method,
    MethodList,
    Metric,
    MetricList,
    Model,
    ModelList,
    Quota,
    QuotaList,
    Result,
    Upload,
)

__all__ = [
    "EXPLANATIONS",
    "POLL_S",
    "Exchange",
    "JobOrId",
    "Look",
    "Operation",
    "audit",
    "cancel",
    "delete",
    "delete_upload",
    "events_path",
    "get",
    "get_upload",
    "interactions_npz",
    "look",
    "method",
    "methods",
    "metrics",
    "models",
    "page",
    "path_of",
    "quotas",
    "report",
    "report_html",
    "result",
    "upload",
    "view",
    "waiting",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _List(Protocol[T_co]):
    @property
    def items(self) -> tuple[T_co, ...]: ...


JobOrId: TypeAlias = Job | str
"""A job, or its id."""

POLL_S: Final = 1.0
"""Between two looks at a job, where the service does not say how long."""

_CANCELED: Final = "canceled"
EXPLANATIONS: Final = "/v1/explanations"
_IMAGES: Final = "/v1/images"


class Look(NamedTuple):
    """A job as it stands, and how long to wait before the next look."""

    job: Job
    pause_s: float


@dataclass(frozen=True)
class Operation(Generic[T]):
    """One request, and how its answer is read.

    Args:
        method: the HTTP method.
        path: below the service's URL.
        parse: reads the body of an answer that says yes.
        query: parameters of the URL.
        headers: beside those of every request.
        json: the body, of a request with a JSON body.
        form: the fields, of a request with a form.
        files: the files of the form: name and bytes.
        longer_by_s: how much longer than others the service may take by what is asked.
        is_done_when_gone: whether it was done, if a second try finds nothing, by the first, whose answer was lost.
    """

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str | list[str]] | None = None
    files: Mapping[str, tuple[str, bytes]] | None = None
    longer_by_s: float = 0.0
    is_done_when_gone: bool = False


class Exchange(Generic[T]):
    """An operation that is being tried, once or several times.

    Args:
        operation: what is asked.
        http: makes the requests, and knows the service's URL.
    """

    def __init__(self, operation: Operation[T], http: httpx.Client | httpx.AsyncClient) -> None:
        self._operation = operation
        self._http = http
        self._tries = 0

    def request(self) -> httpx.Request:
        """The request of the next try."""
        self._tries += 1
        operation = self._operation
        limits = self._http.timeout
        return self._http.build_request(
            operation.method,
            operation.path,
            params=operation.query or None,
            headers=operation.headers,
            json=operation.json,
            data=operation.form,
            files=operation.files,
            timeout=httpx.Timeout(limits.read, read=(limits.read or 0.0) + operation.longer_by_s),
        )

    def answer(self, response: httpx.Response) -> T:
        """What the service has answered.

        Raises:
            ServiceError: it says no, or it is not this service.
        """
        is_gone = response.status_code == HTTPStatus.NOT_FOUND and self._operation.is_done_when_gone
        if response.is_success or (is_gone and self._tries > 1):
            return self._operation.parse(response)
        raise error_of(response)

    def has_canceled(self, error: ServiceError) -> bool:
        """Whether a job that cannot be canceled may be so by an earlier try, whose answer was lost."""
        return self._tries > 1 and error.job_status == _CANCELED


def path_of(job: JobOrId, *names: str) -> str:
    """Path of a job, or of something below it."""
    parts = [job if isinstance(job, str) else job.id, *names]
    return "/".join([EXPLANATIONS, *(quote(part, safe="") for part in parts)])


def events_path(job: JobOrId) -> str:
    """Path of a job's events."""
    return path_of(job, "events")


def get(job: JobOrId) -> Operation[Job]:
    """How a job stands."""
    return Operation("GET", path_of(job), model_parser(Job))


def look(job: JobOrId, *, wait_s: float = 0.0) -> Operation[Look]:
    """How a job stands, once it has ended or ``wait_s`` seconds have passed, and when to look again."""
    return Operation("GET", path_of(job), _look, headers=waiting(wait_s), longer_by_s=wait_s)


def waiting(wait_s: float) -> dict[str, str]:
    """Headers that ask the service to wait for the job's end, for whole seconds, before it answers."""
    return {"Prefer": f"wait={int(wait_s)}"} if wait_s >= 1 else {}


def cancel(job: JobOrId) -> Operation[Job]:
    """Ask that a job be stopped."""
    return Operation("POST", path_of(job, "cancel"), model_parser(Job))


def delete(job: JobOrId) -> Operation[None]:
    """Remove a job that has ended, and its data."""
    return Operation("DELETE", path_of(job), _nothing, is_done_when_gone=True)


def result(job: JobOrId) -> Operation[Result]:
    """The result of a job that has succeeded."""
    return Operation("GET", path_of(job, "result"), model_parser(Result))


def audit(job: JobOrId) -> Operation[dict[str, Any]]:
    """The audit record of a job that has succeeded."""
    return Operation("GET", path_of(job, "audit.json"), model_parser(dict[str, Any]))


def report(job: JobOrId, *, pairs: bool = True) -> Operation[dict[str, Any]]:
    """What is drawn of a job that has succeeded."""
    query = {} if pairs else {"pairs": "false"}
    return Operation("GET", path_of(job, "report.json"), model_parser(dict[str, Any]), query=query)


def report_html(job: JobOrId) -> Operation[bytes]:
    """The same as a page in one file."""
    return Operation("GET", path_of(job, "report.html"), _content)


def view(job: JobOrId) -> Operation[bytes]:
    """The picture as the model saw it."""
    return Operation("GET", path_of(job, "view.png"), _content)


def interactions_npz(job: JobOrId) -> Operation[bytes]:
    """The whole tensor, as it is kept."""
    return Operation("GET", path_of(job, "interactions.npz"), _content)


def page(token: str, **filters: str | int | None) -> Operation[JobPage]:
    """A page of the list of jobs; the first has the token ""."""
    given = {"page_token": token or None, **filters}
    query = {name: str(value) for name, value in given.items() if value is not None}
    return Operation("GET", EXPLANATIONS, model_parser(JobPage), query=query)


def upload(name: str, image: bytes) -> Operation[Upload]:
    """Keep an image for jobs to come."""
    return Operation("POST", _IMAGES, model_parser(Upload), files={"image": (name, image)})


def get_upload(image_id: str) -> Operation[Upload]:
    """An image that was uploaded."""
    return Operation("GET", f"{_IMAGES}/{quote(image_id, safe='')}", model_parser(Upload))


def delete_upload(image_id: str) -> Operation[None]:
    """Remove an uploaded image."""
    return Operation("DELETE", f"{_IMAGES}/{quote(image_id, safe='')}", _nothing, is_done_when_gone=True)


def models() -> Operation[tuple[Model, ...]]:
    """The models that the service has."""
    return Operation("GET", "/v1/models", _items(model_parser(ModelList)))


def methods() -> Operation[tuple[Method, ...]]:
    """The methods that the service has."""
    return Operation("GET", "/v1/methods", _items(model_parser(MethodList)))


def method(name: str) -> Operation[Method]:
    """One method."""
    return Operation("GET", f"/v1/methods/{quote(name, safe='')}", model_parser(Method))


def metrics() -> Operation[tuple[Metric, ...]]:
    """The metrics that the service has."""
    return Operation("GET", "/v1/metrics", _items(model_parser(MetricList)))


def quotas() -> Operation[tuple[Quota, ...]]:
    """What the tenant may have, and how much of it is used."""
    return Operation("GET", "/v1/quotas", _items(model_parser(QuotaList)))


def _look(response: httpx.Response) -> Look:
    if "preference-applied" in response.headers:
        pause_s = 0.0
    else:
        asked_s = retry_after_s(response)
        pause_s = POLL_S if asked_s is None else asked_s
    return Look(model_parser(Job)(response), pause_s)


def _items(parse: Callable[[httpx.Response], _List[T]]) -> Callable[[httpx.Response], tuple[T, ...]]:
    """What reads the members of a list that is answered whole."""
    return lambda response: parse(response).items


def _content(response: httpx.Response) -> bytes:
    return response.content


def _nothing(response: httpx.Response) -> None:
    """Read nothing: an answer without a body."""
