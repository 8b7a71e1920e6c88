"""Switches in the query of a URL."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, StrictBool

__all__ = ["Flag"]


def _of_json(text: object) -> object:
    return {"true": True, "false": False}.get(text, text) if isinstance(text, str) else text


Flag: TypeAlias = Annotated[StrictBool, BeforeValidator(_of_json)]
"""``true`` or ``false``, as the contract has it, and no other word for them."""
