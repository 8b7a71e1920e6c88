"""What the operator allows: hosts by name, and networks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from service.outbound.addresses import IPAddress, address_of, is_public
from service.outbound.destinations import Destination
from service.outbound.errors import HostRefusedError, InvalidUrlError

__all__ = ["HostList", "Trust"]

_PATTERN: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_PORTS: Final = (80, 443)


@dataclass(frozen=True, slots=True)
class HostList:
    """Hosts by name; ``*.example.com`` is every name below ``example.com``, and not that name itself."""

    patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[str]) -> HostList:
        """The list of these patterns.

        Raises:
            ValueError: one of them is no host's name, in ASCII.
        """
        found = tuple(pattern.lower().removesuffix(".") for pattern in patterns)
        for pattern in found:
            if not _PATTERN.fullmatch(pattern):
                raise ValueError(f"{pattern!r} is no host: write images.example.com or *.example.com")
        return cls(found)

    def __contains__(self, host: object) -> bool:
        return isinstance(host, str) and any(
            host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern for pattern in self.patterns
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """Where a call may go.

    To public addresses, by https and on the usual ports. Beyond that, hosts that the operator names may have private
    addresses, and so may those whose addresses are in networks that the operator names; if such a host is named in the
    URL, by its name or its address, http and every port will do as well.
    """

    hosts: HostList = field(default_factory=HostList)
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Trust:
        """Trust in these hosts (``hooks.internal``, ``*.internal``), addresses and networks (``10.0.0.0/8``).

        Raises:
            ValueError: an entry is none of these.
        """
        names, networks = [], []
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                names.append(entry)
        return cls(HostList.of(names), tuple(networks))

    def check(self, destination: Destination) -> None:
        """Look at all that can be told without asking for the host's addresses.

        Raises:
            InvalidUrlError: neither the scheme nor the port may be another than usual for this host.
            HostRefusedError: the host is an address that is not public.
        """
        if self._names(destination.host):
            return
        if destination.scheme != "https":
            raise InvalidUrlError("the URL must begin with https://")
        if destination.port not in _PORTS:
            raise InvalidUrlError(f"the URL's port must be 443 or none, not {destination.port}")
        literal = _literal(destination.host)
        if literal is not None and not is_public(literal):
            raise HostRefusedError(f"{destination.host} is not a public address")

    def check_addresses(self, host: str, addresses: Iterable[str]) -> None:
        """Look at every address that a host has been found to have.

        Raises:
            HostRefusedError: one of them may not be called.
        """
        named = host in self.hosts
        for address in map(address_of, addresses):
            if not (is_public(address) or self._covers(address) or (named and _may_be_named(address))):
                raise HostRefusedError(f"{host} has an address that is not public")

    def _names(self, host: str) -> bool:
        literal = _literal(host)
        return host in self.hosts if literal is None else self._covers(literal)

    def _covers(self, address: IPAddress) -> bool:
        return any(address in network for network in self.networks)


def _literal(host: str) -> IPAddress | None:
    """The address that is written in place of a host's name."""
    try:
        return address_of(host)
    except ValueError:
        return None


def _may_be_named(address: IPAddress) -> bool:
    """Whether a host's name is enough to trust the address: a private one or this machine's, no metadata server's."""
    unusual = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    return address.is_loopback or (address.is_private and not unusual)
