"""Posts, updates and deletes the messages of one answer, where the question is or in the asker's personal chat.

Makes single calls; `stream_writer` streams, and `outlet` decides what follows a refusal.
"""

from __future__ import annotations

from dataclasses import replace

from botbuilder.schema import Activity

from bindings.delivery.outlet import Page, Refused, Unreachable, Unsent
from bindings.incoming import Place
from bindings.teams import messages
from bindings.teams.connector import Connector


class ChatWriter:
    """`question` is the id of the person's message. `plain`: messages without label, feedback and buttons."""

    def __init__(self, connector: Connector, place: Place, question: str, *, plain: bool = False) -> None:
        self._connector = connector
        self._place = place
        self._question = question
        self._plain = plain

    async def place(self) -> Place:
        """Returns the place of the messages."""
        return self._place

    async def post(self, page: Page) -> str:
        """Returns the id of the message. "": Teams gave none, and the page is final, so that it needs no update."""
        activity_id = await self.send(await self.build(page))
        return activity_id if page.final else require_id(activity_id)

    async def update(self, activity_id: str, page: Page) -> None:
        activity = await self.build(page)
        activity.id = activity_id
        await self._connector.update(await self.place(), activity_id, activity)

    async def delete(self, activity_id: str) -> None:
        await self._connector.delete(await self.place(), activity_id)

    async def send(self, activity: Activity) -> str:
        """Returns the id of the activity, or ""."""
        return await self._connector.send(await self.place(), activity)

    async def build(self, page: Page) -> Activity:
        place = await self.place()
        question = self._question if place is self._place else ""
        if self._plain:
            return messages.build_plain(page, place, question)
        return messages.build_message(page, place, question)

    async def check(self) -> None:
        """Makes a call that shows nothing, and that a connector in order answers."""
        await self._connector.find_member(await self.place())


class DirectWriter(ChatWriter):
    """Writes to the personal chat of the person who asked in a channel or group chat."""

    def __init__(self, connector: Connector, place: Place) -> None:
        super().__init__(connector, place, "", plain=True)
        self._chat: Place | None = None

    async def place(self) -> Place:
        """Begins the chat, or finds it again: Teams returns the same one after a restart."""
        if self._chat is None:
            chat = await self._begin_chat()
            route = {**self._place.route, "conversation": chat, "team": ""}
            self._chat = replace(self._place, channel=chat, thread=None, kind="personal", route=route)
        return self._chat

    async def _begin_chat(self) -> str:
        """Raises Unsent in place of Unreachable: a chat that began shows nothing, so no message may stand twice."""
        try:
            return await self._connector.begin_chat(self._place)
        except Unreachable as exc:
            raise Unsent(exc.message) from exc


def require_id(activity_id: str) -> str:
    """Raises Refused for "", so that a message that cannot be updated is not posted again and again."""
    if not activity_id:
        raise Refused("Teams accepted a message without returning its id")
    return activity_id
