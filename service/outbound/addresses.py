"""Which IP addresses belong to the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

__all__ = ["IPAddress", "address_of", "is_public"]

IPAddress = IPv4Address | IPv6Address

# What `ipaddress` of one Python or another takes for global, and is not, or should not be asked by a stranger's wish.
_SPECIAL_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # Azure's own services, for its virtual machines alone
    )
)
_GLOBAL_UNICAST_V6: Final = IPv6Network("2000::/3")
_SPECIAL_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside, which may be any
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def address_of(text: str) -> IPAddress:
    """The address that ``text`` is, without its zone.

    Of an IPv6 address that stands for an IPv4 one (mapped, or behind NAT64), the IPv4 one.

    Raises:
        ValueError: it is none.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def is_public(address: IPAddress) -> bool:
    """Whether an address is one host's on the public internet: neither private, local, shared, reserved nor a group."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_UNICAST_V6 and not any(address in network for network in _SPECIAL_V6)
