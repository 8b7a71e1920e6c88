"""Who asks: a tenant, by one of its keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from service.jobs.records import DEFAULT_TENANT

__all__ = ["ANYONE", "Principal", "Scope", "TenantName"]

TenantName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A tenant: a word of up to 64 letters, digits, dots, hyphens and underscores."""


class Scope(StrEnum):
    """What a key allows."""

    SUBMIT = "submit"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        tenant: whose jobs it may see; all others do not exist for it.
        scopes: what it may do.
        key_id: the key by which it came; None where no keys are configured.
    """

    tenant: str
    scopes: frozenset[Scope]
    key_id: str | None = None


ANYONE: Final = Principal(DEFAULT_TENANT, frozenset(Scope))
"""Whoever asks a service without keys."""
