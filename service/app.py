"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from service import docs, page
from service.access.rate_headers import RateHeadersMiddleware
from service.backend import Backend
from service.compression import CompressionMiddleware
from service.cors import cors_options
from service.documents import openapi_builder
from service.middleware import BodyLimitMiddleware, HeadMiddleware, RequestContextMiddleware
from service.observability.logs import configure_logging
from service.observability.tracing import Tracing
from service.problems import install
from service.routers import (
    batch_events,
    batch_results,
    batches,
    comparisons,
    evaluation_metrics,
    events,
    explanations,
    health,
    images,
    methods,
    metrics,
    models,
    quotas,
    reports,
    results,
    webhook_secrets,
)
from service.routers._responses import guards
from service.settings import ServiceSettings

__all__ = ["API_VERSION", "create_app"]

API_VERSION: Final = "1.0.0"
"""Version of the API's contract, not of the package."""

_ROUTERS: Final = (
    explanations,
    events,
    results,
    reports,
    comparisons,
    batches,
    batch_events,
    batch_results,
    images,
    models,
    methods,
    evaluation_metrics,
    quotas,
    health,
    metrics,
    webhook_secrets,
)
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
    configure_logging(settings.log_level, settings.log_format)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(backend.gate.announce)
        async with backend.watcher.running(), backend.batch_watcher.running():
            yield
        backend.close()

    app = FastAPI(
        title="FIxLIP explanations",
        version=API_VERSION,
        summary="Vision-language similarity, explained.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        telemetry=_telemetry(backend.tracing),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.backend = backend
    app.router.routes.extend(_routes())
    docs.install(app)
    page.install(app)
    install(app)
    app.add_middleware(
        BodyLimitMiddleware,
        max_bytes=settings.max_body_bytes,
        max_bytes_at={batches.router.prefix: settings.max_batch_bytes},
    )
    app.add_middleware(RateHeadersMiddleware)
    app.add_middleware(CompressionMiddleware)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(RequestContextMiddleware, metrics=backend.metrics)
    if settings.cors_origins:  # outermost, so that pages can read errors too
        app.add_middleware(CORSMiddleware, **cors_options(settings.cors_origins))
    app.openapi = openapi_builder(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


@cache
def _routes() -> list[BaseRoute]:
    """The routes, which are the same in every application: to make them takes longer than all the rest of one."""
    api = APIRouter()
    for module in _ROUTERS:
        api.include_router(module.router, responses=guards(module.router.prefix))
    return api.routes


def _telemetry(tracing: Tracing) -> TelemetryConfig:
    """A span for each request, where there are traces, and nothing else: metrics and logs are told otherwise."""
    return {
        "tracer_provider": tracing.provider,
        "tracing": tracing.provider is not None,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
    }
