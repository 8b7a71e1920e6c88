"""The service's page: where it shows what, and how a browser gets there."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Sequence
from typing import Final

from fixlip.client import Batch, Client, Job, NotFoundError
from fixlip.errors import CommandError

__all__ = ["MOST_COMPARED", "browse", "page_of", "page_of_batch", "page_of_jobs", "place_of"]

MOST_COMPARED: Final = 4
"""Explanations that the page shows side by side; the API compares more."""


def page_of(url: str) -> str:
    """Where a service's page is, which takes new explanations."""
    return f"{url}/"


def page_of_jobs(url: str, ids: Sequence[str]) -> str:
    """Where the page shows an explanation, or compares several."""
    return f"{url}/#/explanations/{ids[0]}" if len(ids) == 1 else f"{url}/#/compare?explanations={','.join(ids)}"


def page_of_batch(url: str, batch: str) -> str:
    """Where the page shows a batch."""
    return f"{url}/#/batches/{batch}"


def place_of(client: Client, ids: Sequence[str]) -> str:
    """Where the page shows what has these ids: nothing yet, a job or a batch, or two to four jobs side by side.

    Raises:
        CommandError: there is no such thing, or it cannot be compared.
    """
    if not ids:
        return page_of(client.url)
    if len(ids) > 1:
        if len(ids) > MOST_COMPARED or len(set(ids)) < len(ids):
            raise CommandError(
                f"the page compares two to {MOST_COMPARED} different jobs; `fixlip compare --jobs` up to eight"
            )
        return page_of_jobs(client.url, [client.get(id).id for id in ids])
    found = _job_or_batch(client, ids[0])
    return page_of_batch(client.url, found.id) if isinstance(found, Batch) else page_of_jobs(client.url, [found.id])


def browse(url: str) -> bool:
    """Open ``url`` in a browser, if there is one that can show the page; one that draws text cannot."""
    has_screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if not (has_screen or os.environ.get("BROWSER")):
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


def _job_or_batch(client: Client, id: str) -> Job | Batch:
    try:
        return client.get(id)
    except NotFoundError:
        try:
            return client.batches.get(id)
        except NotFoundError:
            raise CommandError(f"there is neither a job nor a batch {id}, or it is not yours") from None
