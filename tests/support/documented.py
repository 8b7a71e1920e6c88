"""Whether an answer is one that the OpenAPI document tells of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from httpx2 import Response

from service.documents import PROBLEM_CODES, codes_of
from service.problems import PROBLEM_MEDIA_TYPE

__all__ = ["documented"]


def documented(app: FastAPI) -> Callable[[Response], None]:
    """A hook that fails a test whose request has an answer that the document of ``app`` does not have."""
    operations = [
        (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), method.upper(), operation)
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
    ]

    def check(response: Response) -> None:
        request = response.request
        fitting = [o for path, method, o in operations if method == request.method and path.fullmatch(request.url.path)]
        if fitting:
            _check(fitting[0], response)

    return check


def _check(operation: dict[str, Any], response: Response) -> None:
    name, status = operation["operationId"], response.status_code
    assert str(status) in operation["responses"], f"{name} does not tell of status {status}"
    if response.headers.get("content-type") == PROBLEM_MEDIA_TYPE:
        response.read()
        code = response.json()["code"]
        assert code in PROBLEM_CODES, f"the table of codes has no {code}"
        assert code in codes_of(name)[status], f"{name} does not tell of {code} with {status}"
