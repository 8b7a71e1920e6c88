"""The metrics that the API really has."""

from __future__ import annotations

from functools import cache

from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import ServiceSettings

__all__ = ["metrics"]


@cache
def metrics(redis_url: str) -> frozenset[str]:
    """What ``GET /metrics`` answers: names, also of metrics without values, and samples with their labels."""
    with TestClient(create_app(ServiceSettings(redis_url=redis_url))) as client:
        lines = client.get("/metrics").raise_for_status().text.splitlines()
    names = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
    return frozenset(names | {line.rpartition(" ")[0] for line in lines if not line.startswith("#")})
