"""What the desk asks of a platform's adapter, besides outlets: what it must go and look up. One implementation each."""

from __future__ import annotations

from typing import Protocol

from bindings.delivery.outlet import Outlet
from bindings.incoming import File, Incoming
from core.contract import Turn


class Platform(Protocol):
    """Methods raise `bindings.delivery.outlet.DeliveryError`."""

    name: str  # "slack"

    def outlet(self, incoming: Incoming) -> Outlet:
        """Where the answer to it goes. Asks the platform nothing yet."""
        ...

    async def heard(self, incoming: Incoming) -> tuple[Turn, ...]:
        """What others said in the thread since the bot last spoke there, oldest first; () where it cannot be known."""
        ...

    async def fetch(self, file: File, limit_bytes: int) -> bytes:
        """A file of the platform, by its credentials. Raises Refused if it is larger, or not the platform's."""
        ...
