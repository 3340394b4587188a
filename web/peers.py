"""Whom a request is from, for fairness: an address, and a name where whoever asks is trusted to tell it. Pure.

No address is a proof of anything, and none is kept: `web.service` makes an opaque id of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from core.errors import ConfigError

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Peers:
    """`trusted`: reverse proxies and applications that say truly for whom they ask (WEB_TRUSTED)."""

    trusted: tuple[Network, ...] = ()

    @classmethod
    def of(cls, trusted: Iterable[str]) -> Peers:
        """Raises ConfigError."""
        try:
            return cls(tuple(ip_network(each) for each in trusted))
        except ValueError as exc:
            raise ConfigError(f'WEB_TRUSTED: {exc}; name addresses or networks: "10.0.0.5", "10.1.0.0/16"') from exc

    def person(self, remote: str | None, forwarded: Sequence[str], named: str = "") -> tuple[str, str]:
        """(address, name). `forwarded`: the X-Forwarded-For headers; `named`: whom the request says that it is for.

        The address is the nearest that is not trusted: what stands before it in the headers anybody could have sent.
        """
        hops = [hop.strip() for header in forwarded for hop in header.split(",")]
        address = remote or ""
        while hops and self._trusts(address):
            address = hops.pop()
        return address, named if self._trusts(remote or "") else ""

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.trusted)
