"""Tokens that ask for the next page of a list; no secrets, as whoever makes one up sees things of their own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import Final

from pydantic_core import to_json

from service.jobs.errors import InvalidPageTokenError

__all__ = ["make_token", "read_token"]

_MEMBER: Final = re.compile(r"\d{17}:[0-9a-f]{32}")
_DIGEST_BYTES: Final = 10  # with a member, a multiple of three: tokens need no padding


def make_token(member: str, which: Sequence[str | None]) -> str:
    """A place in a list.

    Args:
        member: behind which the next page begins: an instant in microseconds and an id.
        which: the words by which this list is told from others.
    """
    return base64.urlsafe_b64encode(_digest(which) + member.encode()).decode()


def read_token(token: str, which: Sequence[str | None]) -> str:
    """The member behind which the page begins.

    Raises:
        InvalidPageTokenError: it is no token of this list.
    """
    try:
        data = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    digest, member = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:].decode(errors="replace")
    if digest != _digest(which) or not _MEMBER.fullmatch(member):
        raise InvalidPageTokenError
    return member


def _digest(which: Sequence[str | None]) -> bytes:
    return hashlib.sha256(to_json(list(which))).digest()[:_DIGEST_BYTES]
