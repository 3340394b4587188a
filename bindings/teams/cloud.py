"""botbuilder's cloud adapter, with its authentication and its way of calling replaced.

Its turns and their contexts are used as they are. Its `process`, which answers 500 to malformed requests and keeps the
caller waiting for the whole turn, is not: `bindings.teams.adapter` reads the request.
"""

from __future__ import annotations

from typing import Any

from botbuilder.core import InvokeResponse
from botbuilder.integration.aiohttp import CloudAdapter
from botbuilder.schema import Activity
from botframework.connector.auth import (
    AuthenticateRequestResult,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    ConnectorFactory,
)

from bindings.teams.connector import Connector
from bindings.teams.turns import Turns


class Cloud:
    """Runs turns for activities whose sender was checked before."""

    def __init__(self, connector: Connector, turns: Turns) -> None:
        self._factory = Factory(connector)
        self._adapter = CloudAdapter(CheckedBefore(self._factory))
        self._turns = turns

    async def run(self, activity: Activity) -> InvokeResponse | None:
        """None: nothing is to be answered but that it arrived. Raises what the turn raises."""
        admitted = AuthenticateRequestResult()
        admitted.claims_identity = ClaimsIdentity({}, True)
        admitted.connector_factory = self._factory
        return await self._adapter.process_activity(admitted, activity, self._turns.on_turn)


class Factory(ConnectorFactory):  # type: ignore[misc]
    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    async def create(self, service_url: str, audience: str | None = None) -> Any:
        return self._connector.client(service_url)


class CheckedBefore(BotFrameworkAuthentication):  # type: ignore[misc]
    """Lets nobody in by itself: who comes with a header has not been checked by `bindings.teams.tokens`."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory

    async def authenticate_request(self, activity: Activity, auth_header: str) -> AuthenticateRequestResult:
        raise PermissionError("checked before, or not at all")

    async def authenticate_streaming_request(
        self, auth_header: str, channel_id_header: str
    ) -> AuthenticateRequestResult:
        raise PermissionError("no sockets here")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        return self._factory

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """The bot signs nobody in."""
