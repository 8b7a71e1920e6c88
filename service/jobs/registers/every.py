"""All the registers: whoever changes a job keeps each of them."""

from __future__ import annotations

from service.jobs._keys import Keys
from service.jobs.registers.answers import Answers
from service.jobs.registers.batches import Batches
from service.jobs.registers.holdings import Holdings
from service.jobs.registers.lifetimes import Lifetimes
from service.jobs.registers.open_jobs import OpenJobs
from service.jobs.registers.outbox import OutboxEntries
from service.jobs.registers.places import Places
from service.jobs.registers.register import Register
from service.jobs.registers.reserved_keys import ReservedKeys
from service.jobs.registers.tenant_jobs import TenantJobs

__all__ = ["every_register"]


def every_register(keys: Keys) -> tuple[Register, ...]:
    """The registers under ``keys``."""
    return (
        Answers(keys),
        Batches(keys),
        Holdings(keys),
        Lifetimes(keys),
        OpenJobs(keys),
        OutboxEntries(keys),
        Places(keys),
        ReservedKeys(keys),
        TenantJobs(keys),
    )
