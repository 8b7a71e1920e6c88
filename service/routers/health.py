"""Whether the service lives, and whether it can work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from redis import RedisError

from service.backend import Backend, BackendDep
from service.jobs.errors import StorageUnavailableError
from service.problems import FieldError, ProblemError
from service.routers._responses import problems
from service.views import Health

__all__ = ["router"]

router: Final = APIRouter(tags=["health"])


@router.get(
    "/livez", operation_id="getLiveness", summary="Is the process alive?", responses=problems({500: "It is not."})
)
def get_liveness() -> Health:
    """Answers as long as the process does; looks at nothing else."""
    return Health()


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can jobs be taken and run?",
    responses=problems({503: "Not now; `errors` names what does not answer."}),
)
def get_readiness(backend: BackendDep) -> Health:
    """Looks at Redis, the storage, and whether at least one worker is alive."""
    checks: dict[str, Callable[[Backend], str | None]] = {
        "redis": _check_redis,
        "storage": _check_storage,
        "workers": _check_workers,
    }
    faults = {name: fault for name, check in checks.items() if (fault := check(backend)) is not None}
    if faults:
        errors = [FieldError(field=name, code="unavailable", message=fault) for name, fault in faults.items()]
        raise ProblemError(503, "not_ready", f"not ready: {', '.join(faults)}", errors=errors)
    return Health(checks=dict.fromkeys(checks, "ok"))


def _check_redis(backend: Backend) -> str | None:
    try:
        backend.redis.ping()
    except RedisError:
        return "Redis does not answer"
    return None


def _check_storage(backend: Backend) -> str | None:
    try:
        backend.store.probe()
    except StorageUnavailableError as error:
        return str(error)
    return None


def _check_workers(backend: Backend) -> str | None:
    try:
        return None if backend.catalogue.live_workers() else "no worker is alive"
    except RedisError:
        return "unknown, as Redis does not answer"
