"""Whether an answer is one that the OpenAPI document tells of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from httpx2 import Response

from service.documents import PROBLEM_CODES, codes_of
from service.openapi import render
from service.problems import PROBLEM_MEDIA_TYPE

__all__ = ["documented"]


def documented() -> Callable[[Response], None]:
    """A hook that fails a test whose request has an answer that the service's document does not have."""
    operations = _operations()

    def check(response: Response) -> None:
        request = response.request
        fitting = [o for path, method, o in operations if method == request.method and path.fullmatch(request.url.path)]
        if fitting:
            _check(fitting[0], response)

    return check


@cache
def _operations() -> list[tuple[re.Pattern[str], str, dict[str, Any]]]:
    """Paths, methods and operations; made once, as it takes longer than most tests."""
    return [
        (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), method.upper(), operation)
        for path, item in json.loads(render())["paths"].items()
        for method, operation in item.items()
    ]


def _check(operation: dict[str, Any], response: Response) -> None:
    name, status = operation["operationId"], response.status_code
    assert str(status) in operation["responses"], f"{name} does not tell of status {status}"
    if response.headers.get("content-type") == PROBLEM_MEDIA_TYPE:
        response.read()
        code = response.json()["code"]
        assert code in PROBLEM_CODES, f"the table of codes has no {code}"
        assert code in codes_of(name)[status], f"{name} does not tell of {code} with {status}"
