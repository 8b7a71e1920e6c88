"""Pages that are shipped with the package: they load nothing from elsewhere, and a copy is asked after each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

__all__ = ["PageFiles"]

_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageFiles(StaticFiles):
    """The files of a page.

    Args:
        folder: where they are.
        images: sources of pictures (``img-src`` of the Content-Security-Policy) besides this service.
        html: whether ``index.html`` is shown for the folder.
    """

    def __init__(self, folder: Path, *, images: str, html: bool = False) -> None:
        super().__init__(directory=folder, html=html)
        self._headers = {
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
            f"img-src 'self' {images}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            **_HEADERS,
        }

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """The answer with a file, or that the client has it already."""
        response = super().file_response(*arguments, **options)
        response.headers.update(self._headers)
        return response
