"""What the intake asks of Slack, besides that answers are delivered."""

from __future__ import annotations

from collections.abc import Callable

from bindings.delivery.outlet import Outlet
from bindings.incoming import AttachedFile, IncomingMessage, Place
from bindings.slack.api import Api
from bindings.slack.aside import AsideOutlet
from bindings.slack.files import Files
from bindings.slack.history import History
from bindings.slack.mapping import Me
from bindings.slack.outlet import SlackOutlet
from bindings.slack.people import People
from bindings.slack.streams import Streams
from core.contract import Turn


class SlackPlatform:
    name = "slack"

    def __init__(self, api: Api, me: Callable[[], Me], stopped: Callable[[Place, str], None]) -> None:
        self._api = api
        self._stopped = stopped
        self._files = Files(api)
        self.streams = Streams()
        self.people = People(api)
        self._history = History(api, self.people, me)

    def outlet(self, incoming: IncomingMessage) -> Outlet:
        place = incoming.place
        if url := place.route.get("response_url"):
            return AsideOutlet(self._api, url)
        return SlackOutlet(self._api, place, incoming.message, self.streams, self._files, self._history, self._stopped)

    async def thread_messages(self, incoming: IncomingMessage) -> tuple[Turn, ...]:
        return await self._history.thread_messages(incoming)

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        return await self._files.fetch(file, limit_bytes)

    async def forget(self, place: Place) -> None:
        """Nothing is kept."""

    async def purge(self) -> None:
        """Nothing is kept."""
