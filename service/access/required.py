"""What a route asks of whoever calls it, as FastAPI's dependencies."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from service.access.principal import ANYONE, Principal

__all__ = ["Admin", "Reader", "Submitter"]


def _principal() -> Principal:
    return ANYONE


Submitter = Annotated[Principal, Depends(_principal)]
"""Someone who may submit, cancel and delete."""
Reader = Annotated[Principal, Depends(_principal)]
"""Someone who may read."""
Admin = Annotated[Principal, Depends(_principal)]
"""Someone who may look after the service."""
