"""Reads from Slack: other people's messages in a thread, posts with unknown outcome, and people's names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import structlog

from bindings.delivery.outlet import Refused
from bindings.incoming import IncomingMessage, Place, ThreadMessages
from bindings.slack.api import SlackApi
from bindings.slack.directory import UserDirectory
from bindings.slack.files import parse_nonce
from bindings.slack.mapping import BotIdentity
from bindings.slack.markup import remove_mention, to_plain_text
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text
from core.contract import Turn

log = structlog.get_logger()

EVENT_TYPE = "csps_llm_answer"
PAGE_MESSAGES = 200
SEARCH_PAGES = 5
THREAD_PAGES = 25  # Slack returns a thread from its beginning, and the newest messages are wanted
THREAD_MESSAGES_LIMIT = 30
MESSAGE_CHARS = 2000
NOTE_SUBTYPES = frozenset({"channel_join", "channel_leave", "channel_topic", "channel_purpose", "tombstone"})


class ThreadTooLong(Refused):
    """The last message is beyond the pages that are read."""


class ThreadHistory:
    def __init__(self, api: SlackApi, users: UserDirectory, me: Callable[[], BotIdentity]) -> None:
        self._api = api
        self._users = users
        self._me = me

    async def find(self, place: Place, question: str, nonce: str, is_known: Callable[[str], bool]) -> str | None:
        """Finds the bot's message with a nonce in its metadata or file name; else a stream that no answer owns.

        A stream has no nonce before its end. If no answer owns a message after the question, the process died before it
        recorded that stream. A page has no such stream before the previous page has ended.
        """
        answer, _, number = nonce.rpartition("-")
        previous = f"{answer}-{int(number) - 1}" if number.isdecimal() else None
        orphan, may_have_begun = None, number == "1"
        try:
            async for message in self._own_messages(place, question):
                ts = get_text(message, "ts")
                if nonce in message_nonces(message):
                    return ts
                may_have_begun = may_have_begun or previous in message_nonces(message)
                if may_have_begun and orphan is None and may_be_stream(message, place, question) and not is_known(ts):
                    orphan = ts
        except ThreadTooLong as exc:
            log.info("slack_post_search_ended", problem=exc.message)
        return orphan

    async def _own_messages(self, place: Place, question: str) -> AsyncIterator[SlackObject]:
        """Yields the bot's messages after the question."""
        bounds = {"oldest": question, "inclusive": "false", "include_all_metadata": "true"}
        async for message in self._messages(place, SEARCH_PAGES, **bounds):
            if self._is_own(message) and get_text(message, "ts") != question:
                yield message

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        """Messages in a channel's thread since the bot's last one. Raises DeliveryError; ThreadTooLong."""
        place = incoming.place
        if place.kind == "personal" or place.thread in (None, incoming.message):
            return ThreadMessages()
        since: list[SlackObject] = []
        async for message in self._messages(place, THREAD_PAGES, latest=incoming.message, inclusive="false"):
            if self._is_own(message):
                since.clear()
            elif get_text(message, "ts") != incoming.message and message.get("subtype") not in NOTE_SUBTYPES:
                since.append(message)
        turns = [await self._build_turn(message) for message in since[-THREAD_MESSAGES_LIMIT:]]
        return ThreadMessages(tuple(turn for turn in turns if turn.text))

    async def _build_turn(self, message: SlackObject) -> Turn:
        text = to_plain_text(remove_mention(get_text(message, "text"), self._me().user))[:MESSAGE_CHARS]
        user, bot = get_text(message, "user"), get_text(message, "bot_id")
        if user and not bot:
            return Turn("user", text, (await self._users.get(user)).name)
        name = get_text(message, "username") or get_text(get_object(message, "bot_profile"), "name") or bot
        return Turn("user", text, name or None)

    def _is_own(self, message: SlackObject) -> bool:
        me = self._me()
        return get_text(message, "user") == me.user or (bool(me.bot) and get_text(message, "bot_id") == me.bot)

    async def _messages(self, place: Place, pages: int, **bounds: str) -> AsyncIterator[SlackObject]:
        """Yields a thread's messages, oldest first, or a direct conversation's, newest first.

        Raises DeliveryError; ThreadTooLong after `pages` pages, if there are more.
        """
        cursor: str | None = None
        where = {"channel": place.channel, **({"ts": place.thread} if place.thread else {}), **bounds}
        method = "conversations.replies" if place.thread else "conversations.history"
        for _ in range(pages):
            answer = await self._api.read(method, limit=PAGE_MESSAGES, cursor=cursor, **where)
            for message in get_objects(answer, "messages"):
                yield message
            cursor = get_text(get_object(answer, "response_metadata"), "next_cursor") or None
            if cursor is None:
                return
        raise ThreadTooLong(f"there are more messages than {pages} pages of {PAGE_MESSAGES}")


def message_nonces(message: SlackObject) -> list[str]:
    """The nonce in a message's metadata, and those in the names of its files."""
    own = get_text(get_object(get_object(message, "metadata"), "event_payload"), "nonce")
    return [own, *(parse_nonce(get_text(file, "name")) for file in get_objects(message, "files"))]


def may_be_stream(message: SlackObject, place: Place, question: str) -> bool:
    """Returns True for a possible unfinished stream: a reply after the question, without metadata and files."""
    ts = get_text(message, "ts")
    return ts > question and place.thread not in (None, ts) and not (message.get("metadata") or message.get("files"))
