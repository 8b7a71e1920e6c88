"""From a request to a queued job, or to an error that leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from contextlib import suppress

from pydantic import JsonValue
from pydantic_core import to_json

from fixlip_core.captions import content_tokens
from fixlip_core.defaults import DEFAULT_MODEL
from fixlip_core.encoders.card import ModelCard
from fixlip_core.errors import InputError, TokenizerNotFoundError, UnknownModelError
from fixlip_core.images import decode_image
from fixlip_core.methods import METHODS, MethodSpec, get_method
from service.access.principal import Principal
from service.backend import Backend
from service.jobs.artifacts import INPUTS
from service.jobs.errors import StorageUnavailableError
from service.jobs.records import Job, JobInput, JobModel
from service.parameters import abridged, check_cost, check_parameters, check_regions
from service.problems import ProblemError
from service.requests import ExplanationRequest

__all__ = ["submit"]


def submit(backend: Backend, who: Principal, request: ExplanationRequest) -> Job:
    """Check a request against the models that workers announced, store its image and queue the job.

    Raises:
        InputError: the image, caption, model, method or a parameter cannot be accepted.
        ProblemError: several parameters are wrong, or no worker has announced a model yet.
        redis.RedisError: Redis did not answer.
        StorageUnavailableError: the image cannot be stored.
    """
    card = _find_model(backend.catalogue.cards(), request.model)
    spec = get_method(request.method)
    _check_support(card, spec)
    params = check_parameters(spec, request.params, max_budget=backend.settings.max_budget)
    units = card.grid[0] * card.grid[1], _count_tokens(card, request.caption)
    cost_passes = check_cost(spec, params, units, max_budget=backend.settings.max_budget)
    image_size, image_png = _normalize_image(backend, request.image)
    check_regions(params, image_size=image_size)
    job = Job(
        model=JobModel(id=card.id, revision=card.revision),
        method=request.method,
        params=abridged(params),
        input=JobInput(image_sha256=hashlib.sha256(request.image).hexdigest(), caption=request.caption),
        metadata=request.metadata,
    )
    _store(backend, who, job, params, image_png, cost_passes)
    return job


def _find_model(cards: dict[str, ModelCard], model_id: str | None) -> ModelCard:
    if not cards:
        raise ProblemError(503, "no_models", "no worker has announced a model yet; try again later")
    if model_id is None:
        return cards.get(DEFAULT_MODEL) or next(iter(cards.values()))
    if model_id not in cards:
        raise UnknownModelError(f"model {model_id!r} is unknown; known models: {', '.join(cards)}")
    return cards[model_id]


def _check_support(card: ModelCard, spec: MethodSpec) -> None:
    if spec.needs_attention and not card.attention:
        able = ", ".join(other.name for other in METHODS.values() if not other.needs_attention)
        raise InputError(
            f"method {spec.name!r} reads the attention of transformers, which model {card.id!r} is not made of; "
            f"methods for it: {able}",
            field="method",
            code="method_unsupported",
        )


def _count_tokens(card: ModelCard, caption: str) -> int:
    """Tokens of the caption; as many as may be, where the tokenizer's file is on the worker's machine alone."""
    try:
        return len(content_tokens(caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens))
    except TokenizerNotFoundError:
        return card.max_tokens


def _normalize_image(backend: Backend, data: bytes) -> tuple[tuple[int, int], bytes]:
    """(width, height), and the picture as a plain RGB PNG: workers never see the bytes that were sent."""
    settings = backend.settings
    with backend.decode_slots:
        image = decode_image(data, max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
    return image.size, buffer.getvalue()


def _store(
    backend: Backend,
    who: Principal,
    job: Job,
    params: Mapping[str, JsonValue],
    image_png: bytes,
    cost_passes: int,
) -> None:
    """Inputs first, then record and queue entry in one transaction; without the second there is no first."""
    request = job.model_dump(mode="json", include={"model", "method", "input", "metadata"}) | {"params": params}
    backend.store.write(job.id, INPUTS, {"image": image_png, "request.json": to_json(request)})
    try:
        backend.repository.create(job, tenant=who.tenant, queue=backend.queue, cost_passes=cost_passes)
    except BaseException:
        with suppress(StorageUnavailableError):  # what went wrong first is what counts
            backend.store.delete(job.id)
        raise
