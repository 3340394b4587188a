"""About 300 ways to make a service connect to its own network: URL forms, redirects and DNS answers.

This module is only the table; `benchmarks.canary` tries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
# Internal targets: this machine, its networks, a cloud's metadata, and addresses that only look public.
INSIDE_V4 = (
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "0.0.0.1",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "198.103.1.1",  # denied by the operator
)
INSIDE_V6 = (
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::80ff:fffe",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2606:4700::5efe:7f00:1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
    "ff05::2",
    "2620:f00d::1",  # denied by the operator
)
DENIED = ("198.103.0.0/16", "2620:f00d::/32")
# One host, written so that some programs take it for another.
FORMS = (
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0X7F.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "127.0.0.1..",
    "127.000.000.001",
    "127.0.0.256",
    "383.0.0.1",
    "4294967297",
    "1.1.1.1.127.0.0.1",
    "0",
    "0x",
    "127。0。0。1",
    "127．0．0．1",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "𝟏𝟐𝟕.0.0.1",
    "١٢٧.0.0.1",
    "127.0.0.1%00.example.org",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "[::1%25lo]",
    "[::1%lo]",
    "[fe80::1%25eth0]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::1]",
    "[::ffff:127.0.0.1]:80",
    "[127.0.0.1]",
    "::1",
    "[::1",
    "[::1]x",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ⓛocalhost",
    "loca\u00adlhost",
    "printer.local",
    "metadata.google.internal",
    "metadata.google.internal.",
    "router.home.arpa",
    "intranet",
    "xn--",
    "a..example.org",
    "-.example.org:0",
    "",
)
ODD_URLS = (
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1@example.org/",
    "http://user:password@127.0.0.1/",
    "http://@127.0.0.1/",
    "http://example.org:80@127.0.0.1:80/",
    "http://example.org\\@127.0.0.1/",
    "http://127.0.0.1\\@example.org/",
    "http:\\\\127.0.0.1/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "////127.0.0.1/",
    "//127.0.0.1/",
    "127.0.0.1",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1?@example.org/",
    "http://127.0.0.1;example.org/",
    "http://127.0.0.1,example.org/",
    "http://127.0.0.1&example.org/",
    "http://127.0.0.1\t/",
    "http://127.0.\t0.1/",
    "ht\ntp://127.0.0.1/",
    "http://127.0.0.1\r\nHost: example.org/",
    " http://127.0.0.1/",
    "\x00http://127.0.0.1/",
    "http://127.0.0.1\x00.example.org/",
    "http://127.0.0.1 example.org/",
    "http://\u200b127.0.0.1/",
    "http://127.0.0.1\u2028/",
    "http://127.0.0.1\u3000/",
    "http://example.org\ud800/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:11211/stats",
    "ldap://127.0.0.1/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "ws://127.0.0.1/",
    "data:text/html,hello",
    "javascript:fetch('http://127.0.0.1')",
    "jar:http://127.0.0.1!/",
    "view-source:http://127.0.0.1/",
    "url:http://127.0.0.1/",
    "feed://127.0.0.1/",
    "https://127.0.0.1:22/",
    "http://127.0.0.1:80:80/",
    "http://127.0.0.1:-80/",
    "http://127.0.0.1:٨٠/",
    "http://127.0.0.1:99999/",
    f"http://{'a' * 64}.example.org/",
    f"http://{'a.' * 127}example.org/",
    f"http://127.0.0.1/{'a' * 5000}",
    "http://",
    "",
)
PORTS = (1, 21, 22, 23, 25, 111, 389, 445, 2375, 3306, 5000, 5432, 6379, 8000, 8080, 8443, 9200, 11211, 27017, 65535)
# An outside site that redirects to internal hosts.
LOCATIONS = (
    "http://127.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://localhost/",
    "http://inside.example.net/",
    "//127.0.0.1/",
    "//inside.example.net/",
    "////127.0.0.1/",
    "\\\\127.0.0.1/",
    "/\\127.0.0.1/",
    "http:\\\\127.0.0.1",
    "http:/127.0.0.1/",
    "http:127.0.0.1",
    "http://outside.example.org@127.0.0.1/",
    "http://outside.example.org:6379/",
    "http://outside.example.org:22/",
    "https://127.0.0.1/",
    "HTTP://127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "ftp://127.0.0.1/",
    "data:text/html,hello",
    "http://127.0.0.1\t/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://",
    "//",
    "http:",
)
STATUSES = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class HostileUrl:
    """A URL and the DNS answers for its names: one for each look-up, the last repeated; public for other names."""

    what: str
    url: str
    names: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    robots: bool = False


def cases() -> list[HostileUrl]:
    return [*direct(), *redirects(), *answers(), *rebinding()]


def direct() -> Iterator[HostileUrl]:
    for address in INSIDE_V4:
        yield HostileUrl("address", f"http://{address}/")
    for address in INSIDE_V6:
        yield HostileUrl("address", f"http://[{address}]/")
    for form in FORMS:
        yield HostileUrl("form of a host", f"http://{form}/", INSIDE)
    for url in ODD_URLS:
        yield HostileUrl("form of a URL", url, INSIDE)
    for port in PORTS:
        yield HostileUrl("port", f"http://outside.example.org:{port}/")


def redirects() -> Iterator[HostileUrl]:
    for number, location in enumerate(LOCATIONS):
        status = STATUSES[number % len(STATUSES)]
        yield HostileUrl("redirect", redirect_url("outside.example.org", location, status), INSIDE)
        far = redirect_url("other.example.org", redirect_url("third.example.org", location, status), 302)
        yield HostileUrl("redirect of a redirect", redirect_url("outside.example.org", far, 302), INSIDE)


def answers() -> Iterator[HostileUrl]:
    url = "http://name.example.org/"
    for address in (*INSIDE_V4, *INSIDE_V6):
        yield HostileUrl("DNS: inside", url, {"name.example.org": [[address]]})
    for number, address in enumerate((*INSIDE_V4, *INSIDE_V6)):
        mixed = [[*PUBLIC, address], [address, *PUBLIC], [PUBLIC[0], address, PUBLIC[1]]][number % 3]
        yield HostileUrl("DNS: in and out", url, {"name.example.org": [mixed]})
    for odd in ("fe80::1%eth0", "fe80::1%1", "::1%lo", "0x7f.1", "127.1", "not an address", ""):
        yield HostileUrl("DNS: no plain address", url, {"name.example.org": [[odd]]})


def rebinding() -> Iterator[HostileUrl]:
    """A name that is public at the first look-up and internal afterwards."""
    for address in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"):
        names = {"turns.example.org": [[PUBLIC[0]], [address]]}
        yield HostileUrl(
            "rebinding, by a redirect", redirect_url("turns.example.org", "http://turns.example.org/", 302), names
        )
        yield HostileUrl("rebinding, by a path", redirect_url("turns.example.org", "/elsewhere", 307), names)
        yield HostileUrl("rebinding, after robots.txt", "http://turns.example.org/", names, robots=True)


INSIDE = {"inside.example.net": [["127.0.0.1"]], "localhost": [["127.0.0.1"]], "intranet": [["10.0.0.1"]]}


def redirect_url(host: str, location: str, status: int) -> str:
    """Returns a URL of the outside site that redirects to `location`."""
    return f"http://{host}/{status}/{quote(location, safe='', errors='surrogatepass')}"
