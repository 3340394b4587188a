"""Refuses requests from other sites and for other host names. Pure: knows headers and addresses, no HTTP server.

A browser is a confused deputy: any page can make it send us requests. So the guard refuses requests that the browser
marks as another site's. It also refuses unknown host names, because any name can point at us (DNS rebinding).
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
PAGES = frozenset({"/", "/gpt", "/gpt/", "/toil"})
ALWAYS_OPEN = frozenset({"/healthz", "/readyz"})


@dataclass(frozen=True, slots=True)
class GuardedRequest:
    """The headers and addresses of a request that the guard checks."""

    path: str
    hosts: Sequence[str]  # every Host header
    origins: Sequence[str]  # every Origin header
    fetch_site: str | None
    local_ip: str  # the address and port of ours that it came in on
    local_port: int
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class OriginGuard:
    host: str  # as the operator set HOST
    extra_origins: frozenset[str]  # WEB_ORIGINS
    extra_hosts: frozenset[str]

    def check(self, request: GuardedRequest) -> None:
        """Raises BadRequest, HostRefused or OriginRefused."""
        if request.path in ALWAYS_OPEN:
            return
        self.check_host(request)
        if not is_page(request):
            self.check_origin(request)

    def check_host(self, request: GuardedRequest) -> None:
        if len(request.hosts) != 1 or not (match := HOST.fullmatch(request.hosts[0].lower())):
            raise BadRequest("exactly one well-formed Host header is needed")
        name = match[1].strip("[]")
        known = {"localhost", self.host.lower()} | self.extra_hosts
        if name not in known and not is_own_address(name, request.local_ip):
            raise HostRefused("this service is not known by that name; set WEB_ORIGINS to the address that people use")

    def check_origin(self, request: GuardedRequest) -> None:
        if len(request.origins) > 1:
            raise OriginRefused("more than one Origin header")
        origin = request.origins[0] if request.origins else None
        if origin in self.extra_origins:
            return
        if origin is not None and origin not in self.own_origins(request):
            raise OriginRefused("this origin is not allowed; the operator can add it to WEB_ORIGINS")
        if request.fetch_site not in (None, "same-origin", "none"):
            raise OriginRefused("requests from other sites are not answered")

    def own_origins(self, request: GuardedRequest) -> set[str]:
        hosts = ("localhost", "127.0.0.1", "::1", self.host.lower(), request.local_ip)
        return {format_origin("http", host, request.local_port) for host in hosts}


def is_page(request: GuardedRequest) -> bool:
    """True for the page and its files, which anybody may link to: they show nothing of a person."""
    return request.method in ("GET", "HEAD") and (
        request.path in PAGES or request.path.startswith(("/static/", "/about/"))
    )


def build_guard(host: str, origins: Iterable[str]) -> OriginGuard:
    """Raises ConfigError for an entry of WEB_ORIGINS that is no origin."""
    parsed = [parse_origin(origin) for origin in origins]
    return OriginGuard(host, frozenset(origin for origin, _ in parsed), frozenset(name for _, name in parsed))


def parse_origin(text: str) -> tuple[str, str]:
    """ "https://Chat.example.gc.ca:443" → ("https://chat.example.gc.ca", "chat.example.gc.ca")."""
    try:
        url = urlsplit(text)
        if url.scheme in DEFAULT_PORTS and url.hostname and text.lower().endswith(f"//{url.netloc.lower()}"):
            return format_origin(url.scheme, url.hostname, url.port or DEFAULT_PORTS[url.scheme]), url.hostname
    except ValueError as exc:
        raise ConfigError(f"WEB_ORIGINS: {text!r}: {exc}") from exc
    raise ConfigError(f"WEB_ORIGINS: {text!r} is no origin; write it like https://chat.example.gc.ca, without a path")


def format_origin(scheme: str, host: str, port: int) -> str:
    """Formats an origin as browsers do: no default port, brackets around IPv6."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{name}:{port}"


def is_own_address(name: str, local_ip: str) -> bool:
    """True for a loopback address and for the one that the connection came in on. DNS cannot rebind an IP literal."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address == parse_ip(local_ip)


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Unwraps IPv4-mapped IPv6 addresses, as dual-stack sockets report them."""
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
