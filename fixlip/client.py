"""A small client of the HTTP API: submit, follow, cancel, download."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import httpx

from fixlip.errors import ServiceError

__all__ = ["Client", "Job"]

POLL_S: Final = 0.2
FINAL: Final = frozenset({"succeeded", "failed", "canceled", "expired"})

Job: TypeAlias = dict[str, Any]
"""A job as the API shows it; fields that this client does not know are left alone."""


class Client:
    """The service at ``url``.

    Every method raises :class:`~fixlip.errors.ServiceError`, with the service's own words, when it says no, and when
    it cannot be reached.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=self._url, timeout=timeout_s)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def submit(
        self,
        image: bytes,
        caption: str,
        *,
        name: str = "image",
        model: str | None = None,
        method: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Job:
        """Submit an image file's bytes and a caption; None and missing parameters are the service's defaults."""
        fields = {"caption": caption, "params": json.dumps(dict(params or {}))}
        given = {"model": model, "method": method}
        fields |= {field: value for field, value in given.items() if value is not None}
        response = self._send("POST", "/v1/explanations", data=fields, files={"image": (name, image)})
        job: Job = response.json()
        return job

    def models(self) -> list[dict[str, Any]]:
        """The models that the service has."""
        items: list[dict[str, Any]] = self._send("GET", "/v1/models").json()["items"]
        return items

    def methods(self) -> list[dict[str, Any]]:
        """The methods that the service has."""
        items: list[dict[str, Any]] = self._send("GET", "/v1/methods").json()["items"]
        return items

    def method(self, name: str) -> dict[str, Any]:
        """One method."""
        found: dict[str, Any] = self._send("GET", f"/v1/methods/{quote(name, safe='')}").json()
        return found

    def follow(self, job: Job) -> Iterator[Job]:
        """The job as it stands, now and then, until it is final; the last one is."""
        while True:
            job = self._send("GET", job["urls"]["self"]).json()
            yield job
            if job["status"] in FINAL:
                return
            time.sleep(POLL_S)

    def cancel(self, job: Job) -> Job:
        """Ask that a job be stopped; a running one stops within seconds."""
        canceled: Job = self._send("POST", job["urls"]["cancel"]).json()
        return canceled

    def download(self, job: Job, folder: Path) -> None:
        """Write a succeeded job's tensor, result and maps to ``folder``."""
        urls = job["urls"]
        files = {
            "interactions.npz": urls["interactions_npz"],
            "interactions.json": urls["interactions_json"],
            "result.json": urls["result"],
            **{f"maps/{name}.png": url for name, url in urls["maps"].items()},
        }
        (folder / "maps").mkdir(parents=True, exist_ok=True)
        for name, url in files.items():
            (folder / name).write_bytes(self._send("GET", url).content)

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ServiceError(
                f"no service answers at {self._url} ({error}); start one with `fixlip up`, or name another with --url"
            ) from error
        if response.is_success:
            return response
        raise ServiceError(_problem(response))


def _problem(response: httpx.Response) -> str:
    """A problem's own words, else the status."""
    try:
        detail = response.json()["detail"]
    except (ValueError, LookupError, TypeError):
        detail = "no explanation was given"
    return f"the service says no ({response.status_code} {response.reason_phrase}): {detail}"
