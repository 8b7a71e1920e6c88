"""From a request to a queued job, or to an error that leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from fixlip_core.captions import content_tokens
from fixlip_core.defaults import DEFAULT_MODEL
from fixlip_core.encoders.card import ModelCard
from fixlip_core.errors import InvalidParameterError, UnknownModelError
from fixlip_core.images import decode_image
from fixlip_core.methods import get_method
from service.backend import Backend
from service.jobs.artifacts import INPUTS
from service.jobs.records import Job, JobInput, JobModel
from service.problems import ProblemError, field_errors
from service.requests import ExplanationRequest

__all__ = ["submit"]


def submit(backend: Backend, request: ExplanationRequest) -> Job:
    """Check a request against the models that workers announced, store its image and queue the job.

    Raises:
        InputError: the image, caption, model, method or a parameter cannot be accepted.
        ProblemError: several parameters are wrong, or no worker has announced a model yet.
        redis.RedisError: Redis did not answer.
        StorageUnavailableError: the image cannot be stored.
    """
    card = _find_model(backend.catalogue.cards(), request.model)
    params = _check_parameters(request.method, dict(request.params), max_budget=backend.settings.max_budget)
    content_tokens(request.caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens)
    image_png = _normalize_image(backend, request.image)
    job = Job(
        model=JobModel(id=card.id, revision=card.revision),
        method=request.method,
        params=params,
        input=JobInput(image_sha256=hashlib.sha256(request.image).hexdigest(), caption=request.caption),
        metadata=request.metadata,
    )
    _store(backend, job, image_png)
    return job


def _find_model(cards: dict[str, ModelCard], model_id: str | None) -> ModelCard:
    if not cards:
        raise ProblemError(503, "no_models", "no worker has announced a model yet; try again later")
    if model_id is None:
        return cards.get(DEFAULT_MODEL) or next(iter(cards.values()))
    if model_id not in cards:
        raise UnknownModelError(f"model {model_id!r} is unknown; known models: {', '.join(cards)}")
    return cards[model_id]


def _check_parameters(method: str, params: dict[str, Any], *, max_budget: int) -> dict[str, Any]:
    """The parameters with the defaults filled in."""
    try:
        checked = get_method(method).parameters.model_validate(params, strict=True).model_dump(mode="json")
    except ValidationError as error:
        errors = field_errors(error.errors(include_url=False, include_input=False), within="params")
        detail = "; ".join(f"{entry.field}: {entry.message}" for entry in errors)
        raise ProblemError(422, "invalid_parameter", detail, errors=errors) from error
    if checked.get("budget", 0) > max_budget:
        raise InvalidParameterError(
            f"the budget is {checked['budget']} image passes; this service accepts at most {max_budget}",
            field="params.budget",
            code="budget_too_large",
        )
    return checked


def _normalize_image(backend: Backend, data: bytes) -> bytes:
    """The picture as a plain RGB PNG: workers never see the bytes that were sent."""
    settings = backend.settings
    with backend.decode_slots:
        image = decode_image(data, max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _store(backend: Backend, job: Job, image_png: bytes) -> None:
    """Inputs first, then record and queue entry in one transaction; without the second there is no first."""
    request_json = to_json(job.model_dump(mode="json", include={"model", "method", "params", "input", "metadata"}))
    backend.store.write(job.id, INPUTS, {"image": image_png, "request.json": request_json})
    try:
        backend.repository.create(job, queue=backend.queue)
    except BaseException:
        backend.store.delete(job.id)
        raise
