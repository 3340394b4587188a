"""The token with which we call the connector: fetched once for all who wait, and kept until shortly before it ends.

botbuilder's own asks for one in every turn, on the event loop's thread. Knows no activity.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import structlog

from bindings.delivery.outlet import Refused, Unreachable
from bindings.teams import transport
from bindings.teams.hosts import origin, split
from core import platforms

log = structlog.get_logger()

BEFORE_END_S = 300.0
LIFE_S = 3600.0  # where the answer does not say


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    until: float


class Credentials:
    """`authority`: "https://login.microsoftonline.com/<tenant>". `clock`: seconds, never jumps back."""

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
        self._token: Token | None = None
        self._fetching = asyncio.Lock()

    async def token(self) -> str:
        """Raises Refused with what to click, Throttled, Unreachable."""
        if (held := self._held()) is not None:
            return held
        async with self._fetching:
            if (held := self._held()) is not None:
                return held
            self._token = await self._fetch()
            return self._token.text

    def forget(self, token: str) -> None:
        """It was refused: the next caller fetches another."""
        if self._token is not None and self._token.text == token:
            self._token = None

    def _held(self) -> str | None:
        return self._token.text if self._token is not None and self._clock() < self._token.until else None

    async def _fetch(self) -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._app_id,
            "client_secret": self._password,
            "scope": self._scope,
        }
        asked_at = self._clock()
        answer = await transport.call(self._http, "POST", await self._endpoint(), data=form)
        transport.raise_if_passing(answer, "Microsoft's login")
        found = answer.json()
        text = found.get("access_token")
        if answer.status != 200 or not isinstance(text, str) or not text.isascii():
            raise Refused(refusal(answer.status, str(found.get("error", ""))))
        life_s = life(found.get("expires_in"))
        log.info("connector_token_fetched", life_s=life_s)
        return Token(text, asked_at + life_s - min(BEFORE_END_S, life_s / 2))

    async def _endpoint(self) -> str:
        """As MSAL finds it: an AD FS names its own, which must be at the same address."""
        discovery_url = platforms.microsoft_discovery_url(self._authority)
        if discovery_url is None:
            return platforms.microsoft_token_url(self._authority)
        answer = await transport.call(self._http, "GET", discovery_url)
        transport.raise_if_passing(answer, "the login service")
        there, here = split(str(answer.json().get("token_endpoint", ""))), split(self._authority)
        if there is None or here is None or origin(there) != origin(here):
            raise Unreachable("the login service does not say where its tokens are given")
        return there.geturl()


def life(told: object) -> float:
    try:
        return max(1.0, float(told if isinstance(told, (int, float, str)) else LIFE_S))
    except ValueError:
        return LIFE_S


def refusal(status: int, error: str) -> str:
    known = error if error.isidentifier() else ""
    return (
        f"Microsoft's login refused this bot ({status} {known}): check TEAMS_APP_ID and TEAMS_TENANT_ID; a new "
        "TEAMS_APP_PASSWORD is made in the Azure portal under App registrations, Certificates & secrets"
    )
