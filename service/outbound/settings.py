"""Where calls may go, from the environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import field_validator
from pydantic_settings import NoDecode

from service.jobs.settings import JobSettings
from service.outbound.trust import Trust

__all__ = ["OutboundSettings", "split_list"]


def split_list(value: object) -> object:
    """The entries of a list with commas between them."""
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class OutboundSettings(JobSettings):
    """Where calls to other hosts may go.

    Attributes:
        outbound_allow: ``FIXLIP_OUTBOUND_ALLOW``; hosts (``hooks.internal``, ``*.internal``), addresses and networks
            (``10.0.0.0/8``), separated by commas, that may be called besides public addresses, by http and on any port.
    """

    outbound_allow: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("outbound_allow", mode="before")
    @classmethod
    def _split_allowed(cls, value: object) -> object:
        return split_list(value)

    @field_validator("outbound_allow")
    @classmethod
    def _check_allowed(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        Trust.of(entries)
        return entries

    @property
    def trust(self) -> Trust:
        """What ``outbound_allow`` says."""
        return Trust.of(self.outbound_allow)
