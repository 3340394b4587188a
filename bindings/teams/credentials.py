"""The bot's token for the connector: fetched once for all callers, and kept until shortly before it expires.

`core.microsoft_login` builds the requests. Knows no activity.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import structlog

from bindings.delivery.outlet import CredentialsRefused, Unreachable
from bindings.teams import transport
from core import microsoft_login
from core.configuration.platform_sections import TeamsSettings
from core.configuration.setting_types import CredentialKind
from core.errors import ConfigError

log = structlog.get_logger()

RENEW_BEFORE_S = 300.0
DEFAULT_LIFETIME_S = 3600.0  # for a response without `expires_in` and `expires_on`
ADVICE: Mapping[CredentialKind, str] = {
    "secret": "Create a new TEAMS_APP_PASSWORD in the Azure portal under App registrations, Certificates & secrets",
    "certificate": (
        "Upload the certificate of TEAMS_CERTIFICATE in the Azure portal under App registrations, Certificates & "
        "secrets, and replace it before it expires"
    ),
    "federated": (
        "In the Azure portal under App registrations, Certificates & secrets, the federated credential must name the "
        "issuer and the subject of the token in AZURE_FEDERATED_TOKEN_FILE"
    ),
    "managed_identity": (
        "TEAMS_APP_ID must be the client id of a user-assigned managed identity that is assigned to this machine or app"
    ),
}


class Credentials:
    """`clock`: monotonic, in seconds. `wall_clock`: seconds since 1970."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: TeamsSettings,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._settings = settings
        self._authority = microsoft_login.build_authority(settings)
        self._clock = clock
        self._wall_clock = wall_clock
        self._token: str | None = None
        self._renew_at = 0.0
        self._fetch_lock = asyncio.Lock()

    async def token(self) -> str:
        """Raises CredentialsRefused with instructions for the operator, Throttled, Unreachable."""
        if (token := self._current_token()) is not None:
            return token
        async with self._fetch_lock:
            if (token := self._current_token()) is None:
                token = await self._fetch()
            return token

    def forget(self, token: str) -> None:
        """Drops a token that the connector rejected; the next caller fetches another."""
        if self._token == token:
            self._token = None

    def _current_token(self) -> str | None:
        return self._token if self._clock() < self._renew_at else None

    async def _fetch(self) -> str:
        requested_at = self._clock()
        response = await self._request()
        response.raise_if_transient("Microsoft's login")
        fields = response.json()
        token = fields.get("access_token")
        if response.status != 200 or not isinstance(token, str) or not token.isascii():
            raise login_refused(response.status, str(fields.get("error", "")), self._settings.credential_kind)
        lifetime_s = parse_lifetime(fields, self._wall_clock())
        log.info("connector_token_fetched", credential=self._settings.credential_kind, lifetime_s=round(lifetime_s))
        self._token, self._renew_at = token, requested_at + lifetime_s - min(RENEW_BEFORE_S, lifetime_s / 2)
        return token

    async def _request(self) -> transport.HttpResponse:
        is_managed = self._settings.credential_kind == "managed_identity"
        url = "" if is_managed else await self._token_url()
        try:
            # In a thread: it reads a file, or signs.
            request = await asyncio.to_thread(microsoft_login.build_token_request, self._settings, url)
        except ConfigError as exc:
            raise CredentialsRefused(exc.message) from exc
        return await transport.call(self._http, request.method, request.url, headers=request.headers, data=request.form)

    async def _token_url(self) -> str:
        """Returns the token endpoint as MSAL finds it: an AD FS names its own, which must be on the same origin."""
        discovery_url = microsoft_login.discovery_url(self._authority)
        if discovery_url is None:
            return microsoft_login.build_token_url(self._authority)
        response = await transport.call(self._http, "GET", discovery_url)
        response.raise_if_transient("the login service")
        endpoint = transport.parse_url(str(response.json().get("token_endpoint", "")))
        authority = transport.parse_url(self._authority)
        if not endpoint or not authority or transport.url_origin(endpoint) != transport.url_origin(authority):
            raise Unreachable("the login service names no token endpoint on its own origin")
        return endpoint.geturl()


def parse_lifetime(fields: Mapping[str, Any], now: float) -> float:
    """Parses `expires_in` (seconds), or App Service's `expires_on` (seconds since 1970), each a number or text."""
    for name, start in (("expires_in", 0.0), ("expires_on", now)):
        value = fields.get(name)
        try:
            if isinstance(value, (int, float, str)):
                return max(1.0, float(value) - start)
        except ValueError:
            continue
    return DEFAULT_LIFETIME_S


def login_refused(status: int, error: str, kind: CredentialKind) -> CredentialsRefused:
    reason = f"{status} {error}" if error.isidentifier() else str(status)
    return CredentialsRefused(
        f"Microsoft's login refused this bot ({reason}): check TEAMS_APP_ID, TEAMS_TENANT_ID and TEAMS_CLOUD. "
        f"{ADVICE[kind]}"
    )
