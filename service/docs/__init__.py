"""The API's documentation as a page, ``/docs``: everything it needs comes from this package, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

__all__ = ["install"]

_PATH: Final = "/docs"
_FOLDER: Final = Path(__file__).parent / "static"
_HEADERS: Final = {
    # Swagger UI carries its icons in its style sheet, and asks this service alone.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Files(StaticFiles):
    """Files that load nothing from elsewhere; a copy is asked after each time, and sent again if it has changed."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers.update(_HEADERS)
        return response


async def _with_slash() -> Response:
    """The page's files are named relative to it."""
    return RedirectResponse(_PATH.removeprefix("/") + "/")


def install(app: FastAPI) -> None:
    """Show the documentation at ``/docs``; that takes no key."""
    app.add_api_route(_PATH, _with_slash, include_in_schema=False)
    app.mount(_PATH + "/", _Files(directory=_FOLDER, html=True), name="docs")
