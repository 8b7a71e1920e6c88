"""Errors as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis import RedisError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from fixlip_core.errors import InputError, NotComparableError
from service.jobs.errors import (
    ArtifactNotFoundError,
    BatchFinalError,
    BatchNotFoundError,
    BatchOpenError,
    InvalidPageTokenError,
    JobFinalError,
    JobNotFoundError,
    JobOpenError,
    NothingToRetryError,
    StorageUnavailableError,
    TooManyWebhookSecretsError,
    UploadNotFoundError,
    WebhookSecretNotFoundError,
)
from service.jobs.records import JobStatus
from service.observability.request_metrics import PROBLEM_CODE

__all__ = ["PROBLEM_MEDIA_TYPE", "FieldError", "Problem", "ProblemError", "field_errors", "install", "problem_response"]

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

_TYPE_PREFIX: Final = "urn:fixlip:problem:"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MAX_ERRORS: Final = 32
"""Faults of one request that are told: a body can have thousands."""
_RETRY_AFTER_S: Final = "5"
_STATUS_BY_CODE: Final[Mapping[str, int]] = {"image_too_large": 413, "image_undecodable": 415}
_log = structlog.get_logger(__name__)


class FieldError(BaseModel):
    """What is wrong with one field."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="The field's name, with dots into objects: `params.p`.")
    code: str = Field(description="Stable word for programs.")
    message: str = Field(description="Sentence for people: what is wrong and what is accepted.")


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "type": "urn:fixlip:problem:invalid_parameter",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "params.p: Input should be less than 1",
                "instance": "/v1/explanations",
                "code": "invalid_parameter",
                "request_id": "8f14e45fceea467f9a1c6b0b6d2f2f5e",
                "errors": [{"field": "params.p", "code": "less_than", "message": "Input should be less than 1"}],
            }
        },
    )

    type: str = Field(description="URI of the kind of problem; it ends with `code`.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened, for people.")
    instance: str = Field(description="Path of the request.")
    code: str = Field(description="Stable word for programs.")
    request_id: str = Field(description="The request's id, as in the header `X-Request-Id` and the service's logs.")
    errors: list[FieldError] = Field(default_factory=list, description="What is wrong, field by field.")
    job_status: JobStatus | None = Field(default=None, description="Where the job stands; only with 409.")


class ProblemError(Exception):
    """An error that is answered as it says."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        job_status: JobStatus | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.job_status = job_status
        self.headers = dict(headers or {})
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.headers.setdefault("Retry-After", _RETRY_AFTER_S)


def problem_response(error: ProblemError, *, path: str, request_id: str) -> Response:
    """``error`` as the response to a request."""
    problem = Problem(
        type=_TYPE_PREFIX + error.code,
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.detail,
        instance=path,
        code=error.code,
        request_id=request_id,
        errors=error.errors,
        job_status=error.job_status,
    )
    exclude = {"job_status"} if error.job_status is None else set()
    return Response(
        problem.model_dump_json(exclude=exclude),
        status_code=error.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **error.headers},
    )


def field_errors(errors: Iterable[Any], *, within: str = "") -> list[FieldError]:
    """Pydantic's error list with field names as a caller knows them, those inside the object ``within``.

    An error over several fields has no place of its own: its context's ``field`` names the one to change.
    """
    described = []
    for error in islice(errors, _MAX_ERRORS):
        cause = _cause(error)
        field = cause.field if cause else error.get("ctx", {}).get("field")
        place = error["loc"] or filter(None, [field])
        path = ".".join(str(part) for part in (*filter(None, [within]), *place))
        code = cause.code if cause else str(error["type"])
        message = str(cause or error["msg"])
        described.append(FieldError(field=path or "body", code=code, message=message))
    return described


def _cause(error: Any) -> InputError | None:
    """The error of ours that a validator raised."""
    cause = error.get("ctx", {}).get("error")
    return cause if isinstance(cause, InputError) else None


def _from_validation(error: ValidationError) -> ProblemError:
    found = error.errors(include_url=False, include_input=False)
    errors = field_errors(found)
    only = _cause(found[0]) if len(found) == 1 else None
    detail = "; ".join(f"{entry.field}: {entry.message}" for entry in errors)
    return ProblemError(422, only.code if only else "invalid_request", detail, errors=errors)


def _from_input(error: InputError) -> ProblemError:
    entry = FieldError(field=error.field, code=error.code, message=str(error))
    return ProblemError(_STATUS_BY_CODE.get(error.code, 422), error.code, str(error), errors=[entry])


def _from_http(error: HTTPException) -> ProblemError:
    phrase = HTTPStatus(error.status_code).phrase
    return ProblemError(
        error.status_code, phrase.lower().replace(" ", "_"), str(error.detail), headers=dict(error.headers or {})
    )


def _from_redis(error: RedisError) -> ProblemError:
    _log.warning("redis_unavailable", error=str(error))
    return ProblemError(503, "redis_unavailable", "the job queue does not answer; try again later")


def _from_storage(error: StorageUnavailableError) -> ProblemError:
    _log.error("storage_unavailable", error=str(error))
    return ProblemError(503, error.code, "the store cannot be used; try again later")


def _not_found(
    error: JobNotFoundError | UploadNotFoundError | ArtifactNotFoundError | WebhookSecretNotFoundError,
) -> ProblemError:
    return ProblemError(404, error.code, str(error))


def _page_token(error: InvalidPageTokenError) -> ProblemError:
    entry = FieldError(field="page_token", code=error.code, message=str(error))
    return ProblemError(422, error.code, str(error), errors=[entry])


def _conflict(error: JobFinalError | JobOpenError) -> ProblemError:
    return ProblemError(409, error.code, str(error), job_status=error.status)


def _batch_conflict(error: BatchFinalError | BatchOpenError | NothingToRetryError) -> ProblemError:
    return ProblemError(409, error.code, str(error))


def _allowed(request: Request) -> str:
    """The methods of all routes of the request's path: Starlette names those of the first alone."""

    def is_served(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(filter(is_served, _METHODS))


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` as a problem, with the request's id."""
    translations: dict[type[Exception], Any] = {
        ProblemError: lambda error: error,
        ValidationError: _from_validation,
        RequestValidationError: lambda error: ProblemError(
            422, "invalid_request", "the request is not valid", errors=field_errors(error.errors())
        ),
        InputError: _from_input,
        HTTPException: _from_http,
        RedisError: _from_redis,
        StorageUnavailableError: _from_storage,
        JobNotFoundError: _not_found,
        BatchNotFoundError: _not_found,
        UploadNotFoundError: _not_found,
        ArtifactNotFoundError: _not_found,
        JobFinalError: _conflict,
        JobOpenError: _conflict,
        BatchFinalError: _batch_conflict,
        BatchOpenError: _batch_conflict,
        NothingToRetryError: _batch_conflict,
        InvalidPageTokenError: _page_token,
        NotComparableError: lambda error: ProblemError(422, error.code, str(error)),
        WebhookSecretNotFoundError: _not_found,
        TooManyWebhookSecretsError: lambda error: ProblemError(409, error.code, str(error)),
    }

    def answer(request: Request, error: Exception) -> Response:
        kind = next(kind for kind in type(error).__mro__ if kind in translations)
        problem = translations[kind](error)
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            problem.headers["Allow"] = _allowed(request) or problem.headers.get("Allow", "GET, HEAD")
        request.scope["state"][PROBLEM_CODE] = problem.code
        return problem_response(problem, path=request.url.path, request_id=request.state.request_id)

    for kind in translations:
        app.add_exception_handler(kind, answer)
