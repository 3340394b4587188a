"""Which addresses may be connected to: those of the public Internet, and none that lead back inside.

Pure. Owns the table of special addresses, and refuses to know names, ports and sockets. The table is our own because
what `ipaddress` calls global differs with Python's patch level, and because clouds serve secrets from addresses that
look public.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from core.errors import ConfigError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's registries of special-purpose addresses, as of 2025.
SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host: Linux takes it for loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata is in it
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent
        "169.254.0.0/16",  # link-local; nearly every cloud's metadata is in it
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata is in it
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
UNICAST_V6 = IPv6Network("2000::/3")  # nothing outside it is a host of the Internet
SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; Teredo, which carries an IPv4 address, is in it
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
NAT64 = IPv6Network("64:ff9b::/96")
ISATAP = (0x00005EFE, 0x02005EFE)  # the third quarter of an address whose fourth is an IPv4 address


def parse_address(text: str) -> Address | None:
    """None for what is no address, or one that is bound to an interface (`fe80::1%eth0`)."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id is not None else address


def is_public(address: Address, deny: Iterable[Network] = ()) -> bool:
    """Whether connecting to it stays outside. `deny`: networks of the operator's that only look public."""
    if isinstance(address, IPv6Address):
        carried = carried_v4(address)
        if carried is not None:
            return not within(address, deny) and is_public(carried, deny)
        return address in UNICAST_V6 and not is_isatap(address) and not within(address, (*SPECIAL_V6, *deny))
    return not within(address, (*SPECIAL_V4, *deny))


def carried_v4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is really connected to, where an operating system or a NAT64 gateway translates."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFFFFFFFF in ISATAP


def within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks such as "198.103.0.0/16". Raises ConfigError."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as exc:
        raise ConfigError(f"not a network such as 198.103.0.0/16 or 2620::/48: {exc}") from exc
