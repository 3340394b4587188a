"""Reads from Slack: the messages around a question, and posts of the bot with unknown outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import structlog

from bindings.content import MessageContent, collect_files, collect_unread
from bindings.delivery.outlet import Refused
from bindings.incoming import IncomingMessage, Place, ThreadMessages
from bindings.intake.commands import message_language
from bindings.slack.api import SlackApi
from bindings.slack.directory import ReferenceDirectory
from bindings.slack.files import parse_nonce
from bindings.slack.mapping import BotIdentity, is_own
from bindings.slack.message_content import read_message
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text
from bindings.slack.references import MarkupReferences, find_ids
from bindings.slack.surroundings import (
    THREAD_MESSAGES_LIMIT,
    find_speaker,
    find_speakers,
    is_note,
    limit_thread,
    select_before,
)
from core.contract import Language, Turn

log = structlog.get_logger()

EVENT_TYPE = "csps_llm_answer"
PAGE_MESSAGES = 200
SEARCH_PAGES = 5
THREAD_PAGES = 25  # Slack returns a thread from its beginning, and the newest messages are wanted
MESSAGE_CHARS = 8000
NAMES_LIMIT_S = 5.0


class ThreadTooLong(Refused):
    """The last message is beyond the pages that are read."""


class ThreadHistory:
    def __init__(self, api: SlackApi, directory: ReferenceDirectory, me: Callable[[], BotIdentity]) -> None:
        self._api = api
        self._directory = directory
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
            if is_own(message, self._me()) and get_text(message, "ts") != question:
                yield message

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        """The thread since the bot's last message, or what was said before a mention that opens a thread.

        Raises DeliveryError; ThreadTooLong.
        """
        place = incoming.place
        if place.kind == "personal" or place.thread is None:
            return ThreadMessages()
        opens = place.thread == incoming.message
        messages = await (self._before(incoming) if opens else self._since_last_answer(incoming))
        me = self._me()
        ids = (*find_speakers(messages), *find_ids(messages, but=me.user))
        references = (await self._directory.resolve(ids, NAMES_LIMIT_S)).with_name(me.user, me.name)
        contents = [read_message(message, references, own=me.user) for message in messages]
        language = message_language(incoming) or "en"
        turns = [
            Turn("user", render_turn(content, language), speaker_name(message, references))
            for message, content in zip(messages, contents, strict=True)
            if not content.is_empty
        ]
        return ThreadMessages(tuple(turns), collect_files(contents), unread=collect_unread(contents))

    async def _since_last_answer(self, incoming: IncomingMessage) -> list[SlackObject]:
        since: list[SlackObject] = []
        bounds = {"latest": incoming.message, "inclusive": "false"}
        async for message in self._messages(incoming.place, THREAD_PAGES, **bounds):
            if is_own(message, self._me()):
                since.clear()
            elif get_text(message, "ts") != incoming.message and not is_note(message):
                since.append(message)
        return limit_thread(since, incoming.place.thread)

    async def _before(self, incoming: IncomingMessage) -> list[SlackObject]:
        """https://docs.slack.dev/reference/methods/conversations.history: newest first."""
        bounds = {"latest": incoming.message, "inclusive": "false", "limit": THREAD_MESSAGES_LIMIT}
        answer = await self._api.read("conversations.history", channel=incoming.place.channel, **bounds)
        return select_before(get_objects(answer, "messages"), incoming.message, self._me())

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


def speaker_name(message: SlackObject, references: MarkupReferences) -> str | None:
    if speaker := find_speaker(message):
        return references.names.get(speaker, speaker)
    profile = get_text(get_object(message, "bot_profile"), "name")
    return get_text(message, "username") or profile or get_text(message, "bot_id") or None


def render_turn(content: MessageContent, language: Language) -> str:
    """A long message is cut visibly."""
    words = content.turn_text(language)
    return words if len(words) <= MESSAGE_CHARS else f"{words[:MESSAGE_CHARS]} […]"


def message_nonces(message: SlackObject) -> list[str]:
    """The nonce in a message's metadata, and those in the names of its files."""
    own = get_text(get_object(get_object(message, "metadata"), "event_payload"), "nonce")
    return [own, *(parse_nonce(get_text(file, "name")) for file in get_objects(message, "files"))]


def may_be_stream(message: SlackObject, place: Place, question: str) -> bool:
    """Returns True for a possible unfinished stream: a reply after the question, without metadata and files."""
    ts = get_text(message, "ts")
    return ts > question and place.thread not in (None, ts) and not (message.get("metadata") or message.get("files"))
