"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from service.backend import Backend
from service.documents import openapi_builder
from service.logs import configure_logging
from service.middleware import BodyLimitMiddleware, RequestContextMiddleware
from service.problems import install
from service.routers import explanations, health, methods, metrics, models, results
from service.settings import ServiceSettings

__all__ = ["API_VERSION", "create_app"]

API_VERSION: Final = "1.0.0"
"""Version of the API's contract, not of the package."""

_DESCRIPTION: Final = """\
Explains why a vision-language encoder finds an image and a caption similar. Submit a pair, poll the job, fetch the
interaction tensor and the maps. Every error is `application/problem+json` (RFC 9457); `code` is stable."""


def create_app(settings: ServiceSettings | None = None) -> FastAPI:
    """The HTTP service.

    Args:
        settings: by default, from the environment.

    Raises:
        pydantic.ValidationError: a setting in the environment is not valid.
    """
    settings = settings or ServiceSettings()
    backend = Backend.open(settings)
    configure_logging(settings.log_level)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        backend.close()

    app = FastAPI(
        title="FIxLIP explanations",
        version=API_VERSION,
        summary="Vision-language similarity, explained.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.backend = backend
    for module in (explanations, results, models, methods, health, metrics):
        app.include_router(module.router)
    install(app)
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes)
    app.add_middleware(RequestContextMiddleware)
    app.openapi = openapi_builder(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app
