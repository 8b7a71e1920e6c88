"""What a route asks of whoever calls it, as FastAPI's dependencies."""

from __future__ import annotations

from typing import Annotated, Final

import structlog
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from service.access.gate import require_scope
from service.access.locality import is_local
from service.access.principal import Principal, Scope
from service.access.rate_headers import RATE_HEADERS, rate_headers
from service.backend import BackendDep

__all__ = ["Admin", "Reader", "Submitter"]

_BEARER: Final = HTTPBearer(
    scheme_name="apiKey",
    bearerFormat="fxl_ID_SECRET",
    auto_error=False,
    description="An API key; the service's operator makes it with `fixlip keys create`. Its scopes say what it allows: "
    "`submit` (submit, upload, cancel, delete), `read`, `admin` (secrets of webhooks). A service without keys asks for "
    "none and answers its own machine alone.",
)


async def _principal(
    needed: SecurityScopes,
    request: Request,
    backend: BackendDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Principal:
    """Whoever calls, counted and let in."""
    token = credentials.credentials if credentials else None
    who = await backend.gate.admit(token, is_local=token is None and is_local(request))
    structlog.contextvars.bind_contextvars(tenant=who.tenant, key_id=who.key_id)
    standing = await backend.quotas.count_request(who.tenant)
    if standing is not None:
        request.scope["state"][RATE_HEADERS] = rate_headers(standing)
    for scope in needed.scopes:
        require_scope(who, Scope(scope))
    return who


Submitter = Annotated[Principal, Security(_principal, scopes=[Scope.SUBMIT])]
"""Someone who may submit, cancel and delete."""
Reader = Annotated[Principal, Security(_principal, scopes=[Scope.READ])]
"""Someone who may read."""
Admin = Annotated[Principal, Security(_principal, scopes=[Scope.ADMIN])]
"""Someone who may look after the tenant's settings."""
