"""A Redis master that is named, not placed: sentinels know where it is, and after a failover where it is then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.sentinel import MasterNotFoundError, SentinelConnectionPool

__all__ = ["SCHEME", "SentinelAddress", "master_of"]

SCHEME: Final = "redis+sentinel://"
_PORT: Final = 26379
_OPTIONS: Final = frozenset({"master", "sentinel_username", "sentinel_password"})


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """A master by its name, and the sentinels who know where it is.

    Attributes:
        hosts: the sentinels' hosts and ports.
        master: the name by which they know the master.
        options: user, password and database of the master.
        sentinel_options: user and password of the sentinels.
    """

    hosts: tuple[tuple[str, int], ...]
    master: str
    options: dict[str, str | int]
    sentinel_options: dict[str, str]

    @classmethod
    def parse(cls, url: str) -> SentinelAddress:
        """The address in a URL of the form that :func:`service.jobs.connection.connect` says.

        Raises:
            ValueError: the URL is not of that form.
        """
        parts = urlsplit(url)
        credentials, _, hosts = parts.netloc.rpartition("@")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := query.keys() - _OPTIONS:
            raise ValueError(f"a URL of sentinels has no option {min(unknown)!r}")
        if not query.get("master"):
            raise ValueError("a URL of sentinels names the master: ?master=NAME")
        database = parts.path.strip("/") or "0"
        if not database.isdecimal():
            raise ValueError(f"{database!r} is not the number of a database")
        username, _, password = map(unquote, credentials.partition(":"))
        named = {"username": username, "password": password}
        return cls(
            hosts=tuple(_host_and_port(host) for host in hosts.split(",")),
            master=query["master"],
            options={"db": int(database), **{name: value for name, value in named.items() if value}},
            sentinel_options={
                name: query[f"sentinel_{name}"] for name in ("username", "password") if f"sentinel_{name}" in query
            },
        )


def master_of(url: str, options: dict[str, Any]) -> Redis:
    """A client of the master that a URL of sentinels names, whoever that is whenever it connects.

    Args:
        url: see :func:`service.jobs.connection.connect`.
        options: of every connection, those to the sentinels included.

    Raises:
        ValueError: the URL is not of that form.
    """
    address = SentinelAddress.parse(url)
    sentinels = _Sentinels(address, options)
    return Redis.from_pool(SentinelConnectionPool(address.master, sentinels, **options, **address.options))


class _Sentinels:
    """The sentinels, as a pool of connections asks them: redis-py's own reorder a list that threads share."""

    def __init__(self, address: SentinelAddress, options: dict[str, Any]) -> None:
        named = {**options, **address.sentinel_options}
        self._clients = [Redis(host, port, **named) for host, port in address.hosts]
        self._latest = 0  # which one answered last, to be asked first

    def discover_master(self, name: str) -> tuple[str, int]:
        """Host and port of the master, by the first sentinel that knows one that lives.

        Raises:
            MasterNotFoundError: none of them does.
        """
        faults = []
        for offset in range(len(self._clients)):
            index = (self._latest + offset) % len(self._clients)
            try:
                masters: Any = self._clients[index].sentinel_masters()
            except (RedisConnectionError, RedisTimeoutError) as error:
                faults.append(str(error))
                continue
            state = masters.get(name)
            if state and state["is_master"] and not state["is_sdown"] and not state["is_odown"]:
                self._latest = index
                return state["ip"], state["port"]
        raise MasterNotFoundError("; ".join([f"no sentinel knows a live master {name!r}", *faults]))


def _host_and_port(text: str) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[address]:port``.

    Raises:
        ValueError: it is none of these.
    """
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f"{text!r} is not a sentinel's host")
    return parts.hostname, parts.port or _PORT
