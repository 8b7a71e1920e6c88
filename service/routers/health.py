"""Whether the service lives, and whether it can work."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from redis import RedisError

from service.backend import Backend, BackendDep
from service.jobs.errors import StorageUnavailableError
from service.problems import FieldError, ProblemError
from service.routers._responses import problems
from service.views import Health

__all__ = ["router"]

router: Final = APIRouter(tags=["health"])

_STORAGE: Final = "storage"

ModelQuery = Annotated[str | None, Query(description="A model's id: is there a worker that serves it?")]


@router.get(
    "/livez", operation_id="getLiveness", summary="Is the process alive?", responses=problems({500: "It is not."})
)
async def get_liveness() -> Health:  # needs no thread, of which trouble elsewhere may have left none
    """Answers as long as the process does; looks at nothing else."""
    return Health()


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can jobs be taken and run?",
    responses=problems({503: "Not now; `errors` names what does not answer."}),
)
def get_readiness(backend: BackendDep, model: ModelQuery = None) -> Health:
    """Looks at Redis, the storage, and whether at least one live worker serves the model, or any."""
    redis_fault, workers_fault = _look_at_redis(backend, model)
    faults = {"redis": redis_fault, "storage": _look_at_storage(backend), "workers": workers_fault}
    errors = [FieldError(field=name, code="unavailable", message=fault) for name, fault in faults.items() if fault]
    if errors:
        names = ", ".join(error.field for error in errors)
        raise ProblemError(503, "not_ready", f"not ready: {names}", errors=errors)
    return Health(checks=dict.fromkeys(faults, "ok"))


def _look_at_redis(backend: Backend, model: str | None) -> tuple[str | None, str | None]:
    """What is wrong with Redis, and with the workers; asked once, so that a Redis that hangs is waited for once."""
    try:
        workers = backend.catalogue.live_workers(model)
    except RedisError:
        return "Redis does not answer", "unknown, as Redis does not answer"
    of_model = f" of model {model!r}" if model is not None else ""
    return None, None if workers else f"no worker{of_model} is alive"


def _look_at_storage(backend: Backend) -> str | None:
    fault = backend.readiness.recall(_STORAGE)
    if fault is None:
        try:
            backend.bundles.probe()
            fault = ""
        except StorageUnavailableError as error:
            fault = str(error)
        backend.readiness.keep(_STORAGE, fault)
    return fault or None
