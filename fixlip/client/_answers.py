"""Answers of the service: parsed, or raised as the error that they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from fixlip.client.errors import ERROR_BY_STATUS, ServiceError, UnexpectedAnswerError, UnreachableError
from fixlip.client.models import FieldError

__all__ = ["error_of", "key_not_sendable", "model_parser", "retry_after_s", "shown", "transport_errors"]

T = TypeVar("T")

_FIELD_ERRORS = TypeAdapter(tuple[FieldError, ...])


@contextmanager
def transport_errors(http: httpx.Client | httpx.AsyncClient) -> Iterator[None]:
    """Within it, an answer that does not come, and a request that cannot be sent, is a ServiceError."""
    try:
        yield
    except httpx.LocalProtocolError:
        # Not with the reason, which would show the key.
        raise key_not_sendable() from None
    except httpx.DecodingError as error:
        raise UnexpectedAnswerError(f"the answer of {shown(http.base_url)} cannot be decoded: {error}") from error
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        raise UnreachableError(f"no service answers at {shown(http.base_url)} ({reason})") from error


def key_not_sendable() -> ServiceError:
    """What is wrong with a key that no header can have; it is not shown."""
    return ServiceError("a key has characters that HTTP does not allow: the request cannot be sent")


def model_parser(model: type[T]) -> Callable[[httpx.Response], T]:
    """What reads an answer's body as ``model``.

    The parser raises :class:`~fixlip.client.errors.UnexpectedAnswerError` where it is none.
    """
    adapter = TypeAdapter(model)

    def parse(response: httpx.Response) -> T:
        try:
            return adapter.validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            raise UnexpectedAnswerError(
                f"the answer of {shown(response.url)} is not what this client expects: {place}: {first['msg']}",
                status=response.status_code,
            ) from error

    return parse


def error_of(response: httpx.Response) -> ServiceError:
    """The error that an answer is, whose body has been read."""
    problem = _problem(response)
    status = response.status_code
    kind = ERROR_BY_STATUS.get(status, ServiceError)
    detail = problem.get("detail") or "no explanation was given"
    return kind(
        f"the service says no ({status} {response.reason_phrase}): {detail}",
        status=status,
        code=problem.get("code"),
        request_id=problem.get("request_id") or response.headers.get("x-request-id"),
        errors=_field_errors(problem.get("errors")),
        retry_after_s=retry_after_s(response),
        job_status=problem.get("job_status"),
    )


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of the header Retry-After, which has them or an instant; None without it."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def shown(url: httpx.URL) -> httpx.URL:
    """The URL without a name and password, which are nobody's business."""
    return url.copy_with(userinfo=b"")


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _field_errors(errors: Any) -> tuple[FieldError, ...]:
    try:
        return _FIELD_ERRORS.validate_python(errors or ())
    except ValidationError:
        return ()
