"""All the registers: whoever changes a job keeps each of them."""

from __future__ import annotations

from service.jobs._keys import Keys
from service.jobs.registers.open_jobs import OpenJobs
from service.jobs.registers.register import Register

__all__ = ["every_register"]


def every_register(keys: Keys) -> tuple[Register, ...]:
    """The registers under ``keys``."""
    return (OpenJobs(keys),)
