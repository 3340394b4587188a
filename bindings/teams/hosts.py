"""Which addresses are Microsoft's: where our token may be sent, and where files may come from and go to. Pure.

A webhook call says itself where its answer goes (`serviceUrl`). Whoever could choose that freely would be sent our
token, so only hosts that Microsoft alone can hold are called, whatever a call says.
Source: https://learn.microsoft.com/microsoftteams/platform/teams-sdk/essentials/app-configuration/service-url-validation
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

CONNECTORS = frozenset(
    {
        "smba.trafficmanager.net",  # anybody can have another name under trafficmanager.net
        "smba.infra.gcc.teams.microsoft.com",
        "smba.infra.gov.teams.microsoft.us",
        "smba.infra.dod.teams.microsoft.us",
    }
)
CONNECTOR_DOMAINS = (".botframework.com", ".botframework.azure.us")
FILE_DOMAINS = (".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us")  # OneDrive for work is SharePoint


class Hosts:
    """`configured`: URLs of the operator's; what they name may also be a connector or keep files.

    That is the login address, which is given the password itself: a proxy of the operator's, or a test's server.
    `loopback`: any port of this machine as well. `microsoft`: False for the playground, which has nothing but that.
    """

    def __init__(self, configured: Iterable[str] = (), *, loopback: bool = False, microsoft: bool = True) -> None:
        self._microsoft = microsoft
        self._configured = frozenset(origin(parts) for parts in map(split, configured) if parts is not None)
        self._loopback = loopback

    def is_connector(self, url: str) -> bool:
        """Whether we answer there."""
        parts = split(url)
        if parts is None:
            return False
        host = parts.hostname or ""
        return self._is_ours(parts) or (
            self._is_trusted(parts) and (host in CONNECTORS or host.endswith(CONNECTOR_DOMAINS))
        )

    def keeps_files(self, url: str) -> bool:
        """Whether a person's files are there: fetched and put without a token."""
        parts = split(url)
        if parts is None:
            return False
        return self._is_ours(parts) or (self._is_trusted(parts) and (parts.hostname or "").endswith(FILE_DOMAINS))

    def _is_trusted(self, parts: SplitResult) -> bool:
        return self._microsoft and parts.scheme == "https" and parts.port in (None, 443)

    def _is_ours(self, parts: SplitResult) -> bool:
        return origin(parts) in self._configured or (self._loopback and is_loopback(parts.hostname or ""))


def split(url: str) -> SplitResult | None:
    """None for what clients read differently: spaces, backslashes, other alphabets, user names before the host."""
    if not url.isascii() or not url.isprintable() or any(each in url for each in " \\"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    usable = parts.scheme in ("https", "http") and parts.hostname and "@" not in parts.netloc
    return parts if usable and port != 0 else None


def origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
