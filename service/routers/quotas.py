"""What a tenant may have, and how much of it is used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from fastapi import APIRouter, Response

from service.access.required import Reader
from service.backend import BackendDep
from service.routers._responses import problems
from service.views import QuotaList, QuotaView

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/quotas", tags=["quotas"])


@router.get(
    "",
    operation_id="listQuotas",
    summary="Read your quotas",
    response_description="Every quota of the tenant whose key it is.",
    responses=problems({503: "Redis does not answer."}),
)
def list_quotas(who: Reader, backend: BackendDep, response: Response) -> QuotaList:
    """How many requests, waiting jobs, forward passes and stored bytes you may have, and how many you use."""
    response.headers["Cache-Control"] = "no-store"
    items = [QuotaView(**asdict(usage)) for usage in backend.quotas.usage(who.tenant)]
    return QuotaList(tenant=who.tenant, items=items)
