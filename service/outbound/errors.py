"""Errors of calls to other hosts.

FixlipError
`-- OutboundError
    |-- InvalidUrlError       a URL that is none, or of a kind that is never called
    |-- HostRefusedError      a host that is not on the operator's list, or whose address is not public
    |-- BusyError             too many calls are under way already
    |-- UnreachableError      the host cannot be found, does not answer in time, or not as HTTP has it
    `-- AnswerTooLongError    the answer has more bytes than are accepted
"""

from __future__ import annotations

from fixlip_core.errors import FixlipError

__all__ = [
    "AnswerTooLongError",
    "BusyError",
    "HostRefusedError",
    "InvalidUrlError",
    "OutboundError",
    "UnreachableError",
]


class OutboundError(FixlipError):
    """Base of the errors of calls to other hosts."""

    code = "outbound_error"


class InvalidUrlError(OutboundError, ValueError):
    """The URL is none, or of a kind that is never called."""

    code = "url_invalid"


class HostRefusedError(OutboundError):
    """The host is not on the operator's list, or has an address that is not public."""

    code = "host_not_allowed"


class BusyError(OutboundError):
    """Too many calls are under way already."""

    code = "busy"


class UnreachableError(OutboundError):
    """The host cannot be found, does not answer in time, or does not answer as HTTP has it."""

    code = "unreachable"


class AnswerTooLongError(OutboundError):
    """The answer has more bytes than are accepted."""

    code = "answer_too_long"
