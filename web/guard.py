"""Decides who may ask, from what a request says of itself. Pure: knows headers and addresses, no HTTP server.

A browser is a confused deputy: any page can make it ask us. So a request that a browser marks as another site's is
refused, and so is one for a name that is not ours, because a foreign name can be pointed at us (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import BadRequest, ConfigError
from web.problems import HostRefused, OriginRefused

HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?", re.ASCII)
DEFAULT_PORTS = {"http": 80, "https": 443}
ALWAYS_OPEN = frozenset({"/healthz", "/readyz"})


@dataclass(frozen=True, slots=True)
class Call:
    """What a request says of itself, and the address of ours that it came in on."""

    path: str
    hosts: Sequence[str]  # every Host header
    origins: Sequence[str]  # every Origin header
    fetch_site: str | None
    local_ip: str
    local_port: int


@dataclass(frozen=True, slots=True)
class Guard:
    host: str  # as the operator set HOST
    extra_origins: frozenset[str]  # WEB_ORIGINS
    extra_hosts: frozenset[str]

    def check(self, call: Call) -> None:
        """Returns if the call may go on. Raises BadRequest, HostRefused or OriginRefused."""
        if call.path in ALWAYS_OPEN:
            return
        self.check_host(call)
        if call.path != "/" and not call.path.startswith("/static/"):
            self.check_origin(call)

    def check_host(self, call: Call) -> None:
        if len(call.hosts) != 1 or not (match := HOST.fullmatch(call.hosts[0].lower())):
            raise BadRequest("exactly one well-formed Host header is needed")
        name = match[1].strip("[]")
        if name not in {"localhost", self.host.lower()} | self.extra_hosts and not is_ours(name, call.local_ip):
            raise HostRefused("this service is not known by that name; set WEB_ORIGINS to the address that people use")

    def check_origin(self, call: Call) -> None:
        if len(call.origins) > 1:
            raise OriginRefused("more than one Origin header")
        origin = call.origins[0] if call.origins else None
        if origin in self.extra_origins:
            return
        if origin is not None and origin not in self.own_origins(call):
            raise OriginRefused("this origin is not allowed; the operator can add it to WEB_ORIGINS")
        if call.fetch_site not in (None, "same-origin", "none"):
            raise OriginRefused("requests from other sites are not answered")

    def own_origins(self, call: Call) -> set[str]:
        hosts = ("localhost", "127.0.0.1", "::1", self.host.lower(), call.local_ip)
        return {origin_of("http", host, call.local_port) for host in hosts}


def build(host: str, origins: Iterable[str]) -> Guard:
    """Raises ConfigError for an entry of WEB_ORIGINS that no browser would ever send."""
    parsed = [parse_origin(origin) for origin in origins]
    return Guard(host, frozenset(origin for origin, _ in parsed), frozenset(name for _, name in parsed))


def parse_origin(text: str) -> tuple[str, str]:
    """ "https://Chat.example.gc.ca:443" → ("https://chat.example.gc.ca", "chat.example.gc.ca")."""
    try:
        url = urlsplit(text)
        if url.scheme in DEFAULT_PORTS and url.hostname and text.lower().endswith(f"//{url.netloc.lower()}"):
            return origin_of(url.scheme, url.hostname, url.port or DEFAULT_PORTS[url.scheme]), url.hostname
    except ValueError as exc:
        raise ConfigError(f"WEB_ORIGINS: {text!r}: {exc}") from exc
    raise ConfigError(f"WEB_ORIGINS: {text!r} is no origin; write it like https://chat.example.gc.ca, without a path")


def origin_of(scheme: str, host: str, port: int) -> str:
    """As browsers write it: lower case, no default port, brackets round IPv6."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{name}:{port}"


def is_ours(name: str, local_ip: str) -> bool:
    """An IP literal of the loopback, or the one that the connection came in on. No name can be rebound to these."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address == plain_ip(local_ip)


def plain_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """A dual-stack socket reports IPv4 peers in IPv6 clothes."""
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
