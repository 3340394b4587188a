"""Implements `bindings.platform.Platform` for Teams."""

from __future__ import annotations

from bindings.incoming import AttachedFile, IncomingMessage, Place
from bindings.teams.connector import Connector
from bindings.teams.files import Files
from bindings.teams.outlet import Stopped, TeamsOutlet
from bindings.teams.parcels import Parcels
from bindings.teams.streaming import Streams
from core.contract import Turn


class TeamsPlatform:
    name = "teams"

    def __init__(
        self, connector: Connector, files: Files, streams: Streams, parcels: Parcels, stopped: Stopped
    ) -> None:
        self._connector = connector
        self._files = files
        self._streams = streams
        self._parcels = parcels
        self._stopped = stopped

    def outlet(self, incoming: IncomingMessage) -> TeamsOutlet:
        return TeamsOutlet(incoming, self._connector, self._streams, self._parcels, self._stopped)

    async def thread_messages(self, incoming: IncomingMessage) -> tuple[Turn, ...]:
        """Nothing: the connector hands out no messages, and to read them through Graph is a right over a whole team."""
        return ()

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        return await self._files.fetch(file.url, limit_bytes)

    async def forget(self, place: Place) -> None:
        await self._parcels.remove_of(place.route["conversation"])

    async def purge(self) -> None:
        await self._parcels.sweep()
