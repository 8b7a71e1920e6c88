"""Who asks: a tenant, by one of its keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.jobs.records import DEFAULT_TENANT

__all__ = ["ANYONE", "Principal", "Scope"]


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


ANYONE = Principal(DEFAULT_TENANT, frozenset(Scope))
"""Whoever asks a service without keys."""
