"""Decides which URLs and addresses the service may connect to. Pure: resolves no name and opens no socket.

One parser, httpx's, reads a URL, and the connection uses its result: no second parser can differ. Forms that programs
read differently are refused: octal, hexadecimal or short IPv4, backslashes, userinfo, escapes in the host. Messages
repeat only the host of a URL: the path may reveal what a person does.

The table of special addresses is our own. `ipaddress`'s idea of a global address changes with Python's patch level, and
clouds serve secrets from addresses that look public.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from core.errors import ConfigError, FetchRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's registries of special-purpose addresses, as of 2025.
SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host: loopback on Linux
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
UNICAST_V6 = IPv6Network("2000::/3")  # no host of the Internet is outside it
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
ISATAP = (0x00005EFE, 0x02005EFE)  # the third quarter of an address whose fourth quarter is an IPv4 address
URL_LIMIT_CHARS = 4096
ALLOWED_PORTS = {80, 443}
DEFAULT_PORT = {"http": 80, "https": 443}
HOST_LIMIT_CHARS = 253
# The start of an http or https URL, and its authority as every parser cuts it.
HTTP_URL = re.compile(r"(?i)https?://(?P<authority>[^/?#]+)")
SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*:")
DNS_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")  # such a last label makes the host an IPv4 address (WHATWG)
# Never in the public DNS: a query would reveal internal names, and search lists could answer it.
PRIVATE_SUFFIXES = ("localhost", "local", "internal", "home.arpa", "onion")


def parse_address(text: str) -> Address | None:
    """Returns None for text that is no address, or one bound to an interface (`fe80::1%eth0`)."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id is not None else address


def is_public(address: Address, deny: Iterable[Network] = ()) -> bool:
    """Tells whether the address is on the public Internet. `deny`: the operator's networks that only look public."""
    if isinstance(address, IPv6Address):
        embedded = embedded_ipv4(address)
        if embedded is not None:
            return not in_any(address, deny) and is_public(embedded, deny)
        return address in UNICAST_V6 and not is_isatap(address) and not in_any(address, (*SPECIAL_V6, *deny))
    return not in_any(address, (*SPECIAL_V4, *deny))


def embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """Returns the IPv4 address that an operating system or a NAT64 gateway connects to instead."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFFFFFFFF in ISATAP


def in_any(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Parses networks such as "198.103.0.0/16". Raises ConfigError."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as exc:
        raise ConfigError(f"not a network such as 198.103.0.0/16 or 2620::/48: {exc}") from exc


def check_url(text: str, allow: AbstractSet[str] = frozenset()) -> httpx.URL:
    """Parses the URL: its host becomes lower-case ASCII without a trailing dot, its fragment is dropped.

    `allow`: "host:port" whose name and port are not checked. Raises FetchRefused.
    """
    require_plain(text)
    authority = parse_authority(text)
    try:
        url = httpx.URL(text)
        host = ascii_host(url)
        url = url.copy_with(host=host, fragment=None)
    except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
        raise FetchRefused("the URL's host or port is malformed", "form") from exc
    if url_origin(url) in allow:
        return url
    require_public_name(host, bracketed=authority.startswith("["))
    if url_port(url) not in ALLOWED_PORTS:
        raise FetchRefused(f"the URL names a port of {host} that is not opened: only 80 and 443 are", "form")
    return url


def check_redirect(base: httpx.URL, location: str, allow: AbstractSet[str] = frozenset()) -> httpx.URL:
    """Returns the target of a redirect from `base`, checked like any URL. Raises FetchRefused."""
    require_plain(location)
    if SCHEME.match(location) and not HTTP_URL.match(location):
        raise FetchRefused(f"{base.host} redirects to something that is not http:// or https://", "form")
    try:
        joined = str(base.join(location))
    except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
        raise FetchRefused(f"{base.host} redirects to a malformed URL", "form") from exc
    url = check_url(joined, allow)
    if base.scheme == "https" and url.scheme == "http":
        raise FetchRefused(f"{base.host} redirects from https to http", "form")
    return url


def url_port(url: httpx.URL) -> int:
    return url.port or DEFAULT_PORT[url.scheme]


def url_origin(url: httpx.URL) -> str:
    """Returns "host:port"."""
    return host_and_port(url.raw_host.decode("ascii"), url_port(url))


def host_and_port(host: str, port: int) -> str:
    """Returns "host:port", with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def require_plain(text: str) -> None:
    """Refuses characters that some parsers drop or convert."""
    if len(text) > URL_LIMIT_CHARS:
        raise FetchRefused(f"the URL is longer than {URL_LIMIT_CHARS} characters", "form")
    if "\\" in text or any(is_control(char) for char in text):
        raise FetchRefused("the URL contains a backslash or a control character", "form")


def is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"


def parse_authority(text: str) -> str:
    form = HTTP_URL.match(text)
    if form is None:
        raise FetchRefused("the URL must begin with http:// or https:// and a host", "form")
    authority = form["authority"]
    if "@" in authority:
        raise FetchRefused("the URL contains a user name or password; remove it", "form")
    if "%" in authority or any(char.isspace() for char in authority):
        raise FetchRefused("the URL's host contains an escape, a zone or a blank", "form")
    return authority


def ascii_host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").lower().removesuffix(".")


def require_public_name(host: str, *, bracketed: bool) -> None:
    """Raises FetchRefused unless the host is a plain address or a name that the public DNS could hold."""
    address = parse_address(host)
    if isinstance(address, IPv6Address if bracketed else IPv4Address):
        return  # the connection checks whether it is public
    labels = host.split(".")
    if bracketed or NUMERIC_LABEL.fullmatch(labels[-1]):
        raise FetchRefused("the URL's host is a number, but not an IP address in its usual form", "form")
    if len(host) > HOST_LIMIT_CHARS or not all(DNS_LABEL.fullmatch(label) for label in labels):
        raise FetchRefused("the URL's host is not a host name", "form")
    if len(labels) == 1 or host.endswith(tuple(f".{suffix}" for suffix in PRIVATE_SUFFIXES)):
        raise FetchRefused(f"{host} is not a name of the public Internet", "private")
