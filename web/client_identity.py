"""Identifies the client of a request for fairness: an address, and a user if a trusted program names one. Pure.

No address proves anything, and none is stored: `web.service` turns it into an opaque id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from core.errors import ConfigError

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """`trusted`: reverse proxies and programs trusted to report the real user (WEB_TRUSTED)."""

    trusted: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, trusted: Iterable[str]) -> ClientIdentity:
        """Raises ConfigError."""
        try:
            return cls(tuple(ip_network(each) for each in trusted))
        except ValueError as exc:
            raise ConfigError(f'WEB_TRUSTED: {exc}; name addresses or networks: "10.0.0.5", "10.1.0.0/16"') from exc

    def identify(self, remote: str | None, forwarded: Sequence[str], claimed_user: str = "") -> tuple[str, str]:
        """(address, user). `forwarded`: the X-Forwarded-For headers; `claimed_user`: the user that the request names.

        The address is the nearest one that is not trusted: anybody can forge the ones before it in the headers.
        """
        hops = [hop.strip() for header in forwarded for hop in header.split(",")]
        address = remote or ""
        while hops and self.trusts(address):
            address = hops.pop()
        return address, claimed_user if self.trusts(remote or "") else ""

    def trusts(self, address: str) -> bool:
        """True for the address of a proxy or program in WEB_TRUSTED."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.trusted)
