"""What the intake asks of a platform's adapter, besides outlets. One implementation for each platform."""

from __future__ import annotations

from typing import Protocol

from bindings.delivery.outlet import Outlet
from bindings.incoming import File, Incoming, Place
from core.contract import Turn


class Platform(Protocol):
    """Methods raise `bindings.delivery.outlet.DeliveryError`."""

    name: str  # "slack"

    def outlet(self, incoming: Incoming) -> Outlet:
        """Where the answer to it goes. May begin to show there that it is being written; waits for nothing."""
        ...

    async def heard(self, incoming: Incoming) -> tuple[Turn, ...]:
        """What others said in the thread since the bot last spoke there, oldest first; () where it cannot be known."""
        ...

    async def fetch(self, file: File, limit_bytes: int) -> bytes:
        """A file of the platform, by its credentials. Raises Refused if it is larger, or not the platform's."""
        ...

    async def forget(self, place: Place) -> None:
        """What is kept for a conversation beside the database goes. Raises StorageError."""
        ...

    async def purge(self) -> None:
        """What is kept beside the database, and is old, goes. Raises StorageError."""
        ...
