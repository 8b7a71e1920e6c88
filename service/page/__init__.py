"""The page, ``/``, on which explanations are asked for and looked at: built files, made from ``web/``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response

from service.static_files import PageFiles

__all__ = ["install"]

_PATH: Final = "/page/"
_INDEX: Final = "index.html"


def install(app: FastAPI) -> None:
    """Show the page at ``/``, its files below ``/page/``; that takes no key: the page asks for one where it must."""
    # Pictures are fetched with the key and shown from memory; small ones of the style sheet are in it.
    files = PageFiles(Path(__file__).parent / "static", images="blob: data:")

    async def page(request: Request) -> Response:
        return await files.get_response(_INDEX, request.scope)

    app.add_route("/", page, include_in_schema=False)
    app.mount(_PATH, files, name="page")
