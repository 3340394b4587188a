"""The decision which addresses are public."""

from __future__ import annotations

import pytest

from benchmarks.hostile_urls import DENIED, INSIDE_V4, INSIDE_V6, PUBLIC
from core.errors import ConfigError
from core.rag.fetching.url_policy import embedded_ipv4, is_public, parse_address, parse_networks

DENY = parse_networks(DENIED)


@pytest.mark.parametrize("text", [*INSIDE_V4, *INSIDE_V6])
def test_internal_addresses_are_not_public(text: str) -> None:
    """This machine, private and special networks, and IPv6 addresses that embed such an IPv4 address."""
    address = parse_address(text)

    assert address is not None
    assert not is_public(address, DENY)


@pytest.mark.parametrize("text", [*PUBLIC, "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_hosts_of_the_internet_are_public(text: str) -> None:
    """NAT64 counts too: networks of IPv6 alone reach the Internet by it."""
    address = parse_address(text)

    assert address is not None
    assert is_public(address, DENY)


def test_a_denied_network_is_denied_inside_ipv6() -> None:
    """NAT64 does not open an operator's IPv4 network."""
    deny = parse_networks(["198.103.0.0/16"])
    address = parse_address("64:ff9b::c667:101")

    assert address is not None
    assert is_public(address)
    assert not is_public(address, deny)


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "2606:4700::1%1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "1", "", "a.b"]
)
def test_only_plain_addresses_are_addresses(text: str) -> None:
    """No zones, and no octal, hexadecimal or short forms."""
    assert parse_address(text) is None


def test_an_ordinary_ipv6_address_embeds_nothing() -> None:
    """The rules of IPv6 decide about it."""
    address = parse_address("2606:4700::1111")

    assert address is not None
    assert address.version == 6
    assert embedded_ipv4(address) is None


def test_an_invalid_network_raises() -> None:
    """The error repeats the operator's value."""
    with pytest.raises(ConfigError, match=r"198\.103"):
        parse_networks(["198.103.0.0/99"])
