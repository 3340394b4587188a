"""The interface that the intake needs from a platform's adapter, besides outlets. Each platform implements it once."""

from __future__ import annotations

from typing import Protocol

from bindings.delivery.outlet import Outlet
from bindings.incoming import AttachedFile, IncomingMessage, Place
from core.contract import Turn


class Platform(Protocol):
    """One chat platform. Methods raise `bindings.delivery.outlet.DeliveryError`."""

    name: str  # "slack"

    def outlet(self, incoming: IncomingMessage) -> Outlet:
        """Returns the outlet for the answer, without waiting. May start a typing indicator there."""
        ...

    async def thread_messages(self, incoming: IncomingMessage) -> tuple[Turn, ...]:
        """Other people's messages in the thread since the bot's last one, oldest first; () if not available."""
        ...

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        """Downloads a file with the bot's credentials. Raises Refused if it is too large or not the platform's."""
        ...

    async def forget(self, place: Place) -> None:
        """Deletes data of a conversation that is kept outside the database. Raises StorageError."""
        ...

    async def purge(self) -> None:
        """Deletes old data that is kept outside the database. Raises StorageError."""
        ...
