"""What was said in a thread: by others since the bot last spoke, and by the bot itself without knowing of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import structlog

from bindings.delivery.outlet import Refused
from bindings.incoming import IncomingMessage, Place
from bindings.slack.api import Api
from bindings.slack.files import nonce_in
from bindings.slack.mapping import Fields, Me, fields, listed, text
from bindings.slack.mrkdwn import plain, without_mention
from bindings.slack.people import People
from core.contract import Turn

log = structlog.get_logger()

EVENT_TYPE = "csps_llm_answer"
PAGE_MESSAGES = 200
FOUND_PAGES = 5
HEARD_PAGES = 25  # Slack tells a thread from its beginning, and what is wanted is its end
HEARD_LIMIT = 30
HEARD_CHARS = 2000  # of one message
SYSTEM = frozenset({"channel_join", "channel_leave", "channel_topic", "channel_purpose", "tombstone"})


class TooLong(Refused):
    """There are more messages than are read."""


class History:
    def __init__(self, api: Api, people: People, me: Callable[[], Me]) -> None:
        self._api = api
        self._people = people
        self._me = me

    async def find(self, place: Place, question: str, nonce: str, known: Callable[[str], bool]) -> str | None:
        """The bot's message with that nonce, or with a file that has it in its name; else a stream that was lost.

        A stream carries no nonce before it ends, and it is the only thing of ours that does not: what stands after the
        question, and nobody knows of, is one whose beginning was not written down. There is none of a page before the
        page before it was ended.
        """
        answer, _, number = nonce.rpartition("-")
        before = f"{answer}-{int(number) - 1}" if number.isdecimal() else None
        lost, may_be_lost = None, number == "1"
        try:
            async for message in self._since(place, question):
                ts = text(message, "ts")
                if nonce in nonces_of(message):
                    return ts
                may_be_lost = may_be_lost or before in nonces_of(message)
                if may_be_lost and lost is None and could_be_lost(message, place, question) and not known(ts):
                    lost = ts
        except TooLong as exc:
            log.info("slack_post_not_looked_for_further", problem=exc.message)
        return lost

    async def _since(self, place: Place, question: str) -> AsyncIterator[Fields]:
        """The bot's own messages."""
        bounds = {"oldest": question, "inclusive": "false", "include_all_metadata": "true"}
        async for message in self._messages(place, FOUND_PAGES, **bounds):
            if self._own(message) and text(message, "ts") != question:
                yield message

    async def thread_messages(self, incoming: IncomingMessage) -> tuple[Turn, ...]:
        """In a thread of a channel. Raises DeliveryError, also for one so long that its end is not reached."""
        place = incoming.place
        if place.kind == "personal" or place.thread in (None, incoming.message):
            return ()
        since: list[Fields] = []
        async for message in self._messages(place, HEARD_PAGES, latest=incoming.message, inclusive="false"):
            if self._own(message):
                since.clear()
            elif text(message, "ts") != incoming.message and message.get("subtype") not in SYSTEM:
                since.append(message)
        turns = [await self._turn(message) for message in since[-HEARD_LIMIT:]]
        return tuple(turn for turn in turns if turn.text)

    async def _turn(self, message: Fields) -> Turn:
        said = plain(without_mention(text(message, "text"), self._me().user))[:HEARD_CHARS]
        user = text(message, "user")
        if user and not text(message, "bot_id"):
            return Turn("user", said, (await self._people.get(user)).name)
        other = text(message, "username") or text(fields(message, "bot_profile"), "name") or text(message, "bot_id")
        return Turn("user", said, other or None)

    def _own(self, message: Fields) -> bool:
        me = self._me()
        return text(message, "user") == me.user or (bool(me.bot) and text(message, "bot_id") == me.bot)

    async def _messages(self, place: Place, pages: int, **bounds: str) -> AsyncIterator[Fields]:
        """Of the thread from its root on, or of the direct conversation from its end; so many pages at most.

        Raises DeliveryError; TooLong after the last page, if there are more.
        """
        cursor: str | None = None
        where = {"channel": place.channel, **({"ts": place.thread} if place.thread else {}), **bounds}
        method = "conversations.replies" if place.thread else "conversations.history"
        for _ in range(pages):
            answer = await self._api.read(method, limit=PAGE_MESSAGES, cursor=cursor, **where)
            for message in listed(answer, "messages"):
                yield message
            cursor = text(fields(answer, "response_metadata"), "next_cursor") or None
            if cursor is None:
                return
        raise TooLong(f"there are more messages than {pages} pages of {PAGE_MESSAGES}")


def nonces_of(message: Fields) -> list[str]:
    """By which the message is known: its own, and those in the names of its files."""
    own = text(fields(fields(message, "metadata"), "event_payload"), "nonce")
    return [own, *(nonce_in(text(file, "name")) for file in listed(message, "files"))]


def could_be_lost(message: Fields, place: Place, question: str) -> bool:
    """A stream that has not ended, and is a reply as all streams are."""
    ts = text(message, "ts")
    return ts > question and place.thread not in (None, ts) and not (message.get("metadata") or message.get("files"))
