"""The API's documentation as a page, ``/docs``: everything it needs comes from this package, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response

from service.static_files import PageFiles

__all__ = ["install"]

_PATH: Final = "/docs"
_FOLDER: Final = Path(__file__).parent / "static"


async def _with_slash() -> Response:
    """The page's files are named relative to it."""
    return RedirectResponse(_PATH.removeprefix("/") + "/")


def install(app: FastAPI) -> None:
    """Show the documentation at ``/docs``; that takes no key."""
    app.add_api_route(_PATH, _with_slash, include_in_schema=False)
    # Swagger UI carries its icons in its style sheet.
    app.mount(_PATH + "/", PageFiles(_FOLDER, images="data:", html=True), name="docs")
