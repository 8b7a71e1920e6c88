"""Where a call goes: a URL taken apart once, so that what is checked is what is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import Url

from service.outbound.errors import InvalidUrlError

__all__ = ["Destination"]

MAX_URL_CHARS: Final = 2048

# The parser is that of browsers, which forgives much. What people and programs may read differently is refused first.
_PLAIN: Final = re.compile(r"https?://(?P<authority>[^/?#\\\s]+)[^\\\x00-\x20\x7f]*", flags=re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call goes.

    Attributes:
        scheme: ``https`` or ``http``.
        host: its name in lower case and ASCII, or its address, of version 6 without brackets.
        port: the port.
        target: path and query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, url: str) -> Destination:
        """The destination that ``url`` names.

        Raises:
            InvalidUrlError: it is no URL, has another scheme than http or https, or a user's name or password.
        """
        if len(url) > MAX_URL_CHARS:
            raise InvalidUrlError(f"the URL has more than {MAX_URL_CHARS:,} characters")
        plain = _PLAIN.fullmatch(url)
        if plain is None:
            raise InvalidUrlError("it must be a URL such as https://example.com/path, without spaces or backslashes")
        if "@" in plain["authority"]:
            raise InvalidUrlError("the URL must not have a user's name or password")
        try:
            parsed = Url(url)
        except ValidationError as error:
            raise InvalidUrlError(f"the URL is not valid: {error.errors()[0]['msg']}") from error
        host = (parsed.host or "").removesuffix(".").removeprefix("[").removesuffix("]")
        if not host or not parsed.port:
            raise InvalidUrlError("the URL must have a host, and a port other than 0 if it has one")
        query = f"?{parsed.query}" if parsed.query is not None else ""
        return cls(parsed.scheme, host, parsed.port, f"{parsed.path or '/'}{query}")

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's own, port, as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"
