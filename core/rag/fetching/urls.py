"""Which URLs are opened: what is read out of one, and what is wrong with it. Pure; nothing is resolved here.

One parser (httpx's) reads a URL, and what it read is what is connected to: no second opinion can differ. Forms that
programs read differently (octal, hexadecimal or short IPv4, backslashes, userinfo, escapes in the host) are refused
rather than guessed. No message repeats more of a URL than its host: a path may say what a person is up to.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Address, IPv6Address

import httpx

from core.errors import FetchRefused
from core.rag.fetching.addresses import parse_address

LIMIT_CHARS = 4096
PORTS = {80, 443}
DEFAULT_PORT = {"http": 80, "https": 443}
HOST_LIMIT_CHARS = 253
# What begins like a URL of ours, and its authority as every reader would cut it out.
FORM = re.compile(r"(?i)https?://(?P<authority>[^/?#]+)")
SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*:")
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label like this makes the whole host an IPv4 address (WHATWG)
# Never in the public DNS: asking for them would tell others what is inside, and search lists could answer.
INSIDE = ("localhost", "local", "internal", "home.arpa", "onion")


def checked(text: str, allow: AbstractSet[str] = frozenset()) -> httpx.URL:
    """The URL, its host in lower-case ASCII without a trailing dot, without its fragment.

    `allow`: "host:port" whose name and port are not questioned. Raises FetchRefused.
    """
    require_plain(text)
    authority = authority_of(text)
    try:
        url = httpx.URL(text)
        host = ascii_host(url)
        url = url.copy_with(host=host, fragment=None)
    except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
        raise FetchRefused("the URL's host or port is malformed", "form") from exc
    if origin_of(url) in allow:
        return url
    require_public_name(host, bracketed=authority.startswith("["))
    if port_of(url) not in PORTS:
        raise FetchRefused(f"the URL names a port of {host} that is not opened: only 80 and 443 are", "form")
    return url


def redirected(base: httpx.URL, location: str, allow: AbstractSet[str] = frozenset()) -> httpx.URL:
    """Where a redirect of `base` leads; checked like any URL. Raises FetchRefused."""
    require_plain(location)
    if SCHEME.match(location) and not FORM.match(location):
        raise FetchRefused(f"{base.host} redirects to something that is not http:// or https://", "form")
    try:
        joined = str(base.join(location))
    except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
        raise FetchRefused(f"{base.host} redirects to a malformed URL", "form") from exc
    url = checked(joined, allow)
    if base.scheme == "https" and url.scheme == "http":
        raise FetchRefused(f"{base.host} redirects from https to http", "form")
    return url


def port_of(url: httpx.URL) -> int:
    return url.port or DEFAULT_PORT[url.scheme]


def origin_of(url: httpx.URL) -> str:
    """ "host:port" """
    return host_and_port(url.raw_host.decode("ascii"), port_of(url))


def host_and_port(host: str, port: int) -> str:
    """An IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def require_plain(text: str) -> None:
    """No sign that some reader drops or turns into another."""
    if len(text) > LIMIT_CHARS:
        raise FetchRefused(f"the URL is longer than {LIMIT_CHARS} characters", "form")
    if "\\" in text or any(is_control(char) for char in text):
        raise FetchRefused("the URL contains a backslash or a control character", "form")


def is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"


def authority_of(text: str) -> str:
    form = FORM.match(text)
    if form is None:
        raise FetchRefused("the URL must begin with http:// or https:// and a host", "form")
    authority = form["authority"]
    if "@" in authority:
        raise FetchRefused("the URL carries a user name or password; write it without", "form")
    if "%" in authority or any(char.isspace() for char in authority):
        raise FetchRefused("the URL's host contains an escape, a zone or a blank", "form")
    return authority


def ascii_host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").lower().removesuffix(".")


def require_public_name(host: str, *, bracketed: bool) -> None:
    """Raises FetchRefused for what is neither a plain address nor a name that the public DNS could hold."""
    address = parse_address(host)
    if isinstance(address, IPv6Address if bracketed else IPv4Address):
        return  # whether it is a public one is asked where it is connected to
    labels = host.split(".")
    if bracketed or NUMBER.fullmatch(labels[-1]):
        raise FetchRefused("the URL's host is a number, but not an IP address in its usual form", "form")
    if len(host) > HOST_LIMIT_CHARS or not all(LABEL.fullmatch(label) for label in labels):
        raise FetchRefused("the URL's host is not a host name", "form")
    if len(labels) == 1 or host.endswith(tuple(f".{suffix}" for suffix in INSIDE)):
        raise FetchRefused(f"{host} is not a name of the public Internet", "private")
