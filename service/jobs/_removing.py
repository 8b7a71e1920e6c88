"""Removals that a Redis whose memory is full does not refuse: they alone make it well again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from redis import Redis
from redis.client import Pipeline

__all__ = ["WRITES_WHEN_FULL", "remove"]

WRITES_WHEN_FULL: Final = "redis.call('DEL', '')\n"
"""First line of a script that may write when memory is full: once it has written, it is not stopped."""

_REMOVE: Final = """
if redis.call('DEL', KEYS[1]) == 0 then
    return 0
end
local at = 1
while at <= #ARGV do
    local last = at + tonumber(ARGV[at])
    redis.call(unpack(ARGV, at + 1, last))
    at = last + 1
end
return 1
"""


def remove(redis: Redis, key: str, add: Callable[[Pipeline], None]) -> bool:
    """Remove a key and, if it was there, do what goes with that, all at once.

    A full Redis refuses every command of a transaction. A script it stops only before the first write, and only where
    that is one that may take memory.

    Args:
        redis: where the key is.
        key: the key.
        add: adds commands to a pipeline.

    Returns:
        Whether it was there.

    Raises:
        redis.RedisError: Redis did not answer.
    """
    with redis.pipeline(transaction=False) as commands:
        add(commands)
        arguments = [argument for words, _ in commands.command_stack for argument in (len(words), *words)]
    return bool(redis.eval(_REMOVE, 1, key, *arguments))
