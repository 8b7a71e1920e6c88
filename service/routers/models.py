"""The models that can explain."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from service.access.required import Reader
from service.backend import BackendDep
from service.routers._responses import problems
from service.views import ModelList, ModelView

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/models", tags=["catalogue"])


@router.get(
    "",
    operation_id="listModels",
    summary="List the models",
    response_description="Every model that a worker has announced.",
    responses=problems({503: "Redis does not answer."}),
)
def list_models(_: Reader, backend: BackendDep) -> ModelList:
    """Models with their limits, and whether a worker serves them now."""
    cards = backend.catalogue.cards()
    workers = backend.catalogue.live_workers_of(cards)
    return ModelList(items=[ModelView.of(card, workers=workers[card.id]) for card in cards.values()])
