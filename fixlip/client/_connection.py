"""Where the service is, who asks, and for how long."""

from __future__ import annotations

import os
import time
from typing import Any, Final

import httpx

from fixlip.client._answers import key_not_sendable
from fixlip.client.errors import JobNotSucceededError, ServiceError, WaitTimeoutError
from fixlip.client.models import Job

__all__ = ["DEFAULT_URL", "LONG_POLL_S", "Patience", "http_options", "succeeded"]

DEFAULT_URL: Final = "http://127.0.0.1:8000"

LONG_POLL_S: Final = 20.0
"""How long the service is asked to wait at a time; proxies give up on an answer after half a minute or more."""


def http_options(url: str | None, api_key: str | None, timeout_s: float) -> dict[str, Any]:
    """What httpx's clients are made with.

    Args:
        url: None for FIXLIP_URL, else the default.
        api_key: None for FIXLIP_API_KEY; empty for none.
        timeout_s: for each try of a request, to connect and between two parts of the answer.

    Raises:
        ServiceError: no service can be at such a URL, or no header can have such a key.
    """
    url = url or os.environ.get("FIXLIP_URL") or DEFAULT_URL
    key = os.environ.get("FIXLIP_API_KEY") if api_key is None else api_key
    try:
        base = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise ServiceError(f"{url!r} is no URL of a service ({error}), as {DEFAULT_URL} is") from error
    if base.scheme not in ("http", "https") or not base.host:
        raise ServiceError(f"{url!r} is no URL of a service, as {DEFAULT_URL} is")
    headers = {"Accept": "application/json", "User-Agent": "fixlip-client"}
    if key:
        if not key.isascii():
            raise key_not_sendable()
        headers["Authorization"] = f"Bearer {key.strip()}"
    return {"base_url": base, "headers": headers, "timeout": timeout_s}


class Patience:
    """How long a job is waited for.

    Args:
        within_s: seconds from now; None for ever.
    """

    def __init__(self, within_s: float | None) -> None:
        self._within_s = within_s
        self._end = None if within_s is None else time.monotonic() + within_s

    def at_most(self, pause_s: float) -> float:
        """``pause_s``, or what is left where that is less."""
        return pause_s if self._end is None else max(0.0, min(pause_s, self._end - time.monotonic()))

    @property
    def is_over(self) -> bool:
        """Whether the time is."""
        return self._end is not None and time.monotonic() >= self._end

    def check(self, job: Job) -> None:
        """Go on.

        Raises:
            WaitTimeoutError: the time is over.
        """
        if self.is_over:
            raise WaitTimeoutError(job, self._within_s or 0.0)


def succeeded(job: Job) -> Job:
    """``job``, which has ended.

    Raises:
        JobNotSucceededError: it has no result.
    """
    if not job.has_succeeded:
        raise JobNotSucceededError(job)
    return job
