"""The bot's token for the connector: fetched once for all callers, and kept until shortly before it expires.

botbuilder's own class requests a token in every turn and blocks the event loop. Knows no activity.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
import structlog

from bindings.delivery.outlet import Refused, Unreachable
from bindings.teams import transport
from core import platforms

log = structlog.get_logger()

RENEW_BEFORE_S = 300.0
DEFAULT_LIFETIME_S = 3600.0  # for a response without `expires_in`


class Credentials:
    """`authority`: "https://login.microsoftonline.com/<tenant>". `clock`: monotonic, in seconds."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        app_id: str,
        password: str,
        authority: str,
        scope: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._app_id = app_id
        self._password = password
        self._authority = authority
        self._scope = platforms.microsoft_scope(scope)
        self._clock = clock
        self._token: str | None = None
        self._renew_at = 0.0
        self._fetch_lock = asyncio.Lock()

    async def token(self) -> str:
        """Raises Refused with instructions for the operator, Throttled, Unreachable."""
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
        form = {
            "grant_type": "client_credentials",
            "client_id": self._app_id,
            "client_secret": self._password,
            "scope": self._scope,
        }
        requested_at = self._clock()
        response = await transport.call(self._http, "POST", await self._token_url(), data=form)
        response.raise_if_transient("Microsoft's login")
        fields = response.json()
        token = fields.get("access_token")
        if response.status != 200 or not isinstance(token, str) or not token.isascii():
            raise login_refused(response.status, str(fields.get("error", "")))
        lifetime_s = parse_lifetime(fields.get("expires_in"))
        log.info("connector_token_fetched", lifetime_s=lifetime_s)
        self._token, self._renew_at = token, requested_at + lifetime_s - min(RENEW_BEFORE_S, lifetime_s / 2)
        return token

    async def _token_url(self) -> str:
        """Returns the token endpoint as MSAL finds it: an AD FS names its own, which must be on the same origin."""
        discovery_url = platforms.microsoft_discovery_url(self._authority)
        if discovery_url is None:
            return platforms.microsoft_token_url(self._authority)
        response = await transport.call(self._http, "GET", discovery_url)
        response.raise_if_transient("the login service")
        endpoint = transport.parse_url(str(response.json().get("token_endpoint", "")))
        authority = transport.parse_url(self._authority)
        if not endpoint or not authority or transport.url_origin(endpoint) != transport.url_origin(authority):
            raise Unreachable("the login service names no token endpoint on its own origin")
        return endpoint.geturl()


def parse_lifetime(value: object) -> float:
    """Parses `expires_in`, in seconds, a number or text."""
    try:
        return max(1.0, float(value if isinstance(value, (int, float, str)) else DEFAULT_LIFETIME_S))
    except ValueError:
        return DEFAULT_LIFETIME_S


def login_refused(status: int, error: str) -> Refused:
    code = error if error.isidentifier() else ""
    return Refused(
        f"Microsoft's login refused this bot ({status} {code}): check TEAMS_APP_ID and TEAMS_TENANT_ID. Create a new "
        "TEAMS_APP_PASSWORD in the Azure portal under App registrations, Certificates & secrets"
    )
