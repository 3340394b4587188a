"""The other messages of a thread or channel → the turns and files that the model is shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bindings.content import MessageContent, collect_files, collect_unread
from bindings.discord.mapping import ChannelContext, author_id, collect_names, is_addressed, is_bot
from bindings.discord.message_content import STARTER_TYPE, ContentReader
from bindings.discord.payloads import Payload, as_id, as_mapping, as_number
from bindings.incoming import ThreadMessages, UnreadPart
from core.contract import Language, Turn

FILES_LIMIT = 5  # of the latest ones; earlier files are named only


def sort_newest_first(messages: object) -> list[Payload]:
    """The messages of a call's answer that have an id."""
    candidates = messages if isinstance(messages, list) else []
    usable = [each for each in candidates if isinstance(each, dict) and as_id(each.get("id"))]
    return sorted(usable, key=lambda each: int(each["id"]), reverse=True)


def since_last_answer(newest_first: Iterable[Payload], bot_id: str) -> tuple[list[Payload], bool]:
    """The messages after the bot's last one, oldest first. True: the bot has written before them."""
    messages: list[Payload] = []
    for payload in newest_first:
        if author_id(payload) == bot_id:
            return messages[::-1], True
        messages.append(payload)
    return messages[::-1], False


def build_thread(messages: list[Payload], context: ChannelContext, language: Language) -> ThreadMessages:
    """`messages`: oldest first. Leaves out people's messages to the bot, because they are turns already."""
    reader = ContentReader(context.bot_id, collect_names(messages, context.names), language)
    others = [each for each in messages if is_bot(each) or not is_addressed(each, context)]
    contents = limit_files([reader.read(each) for each in others])
    turns = [
        Turn("user", words, speaker_name(payload, reader))
        for payload, content in zip(others, contents, strict=True)
        if (words := content.turn_text(language))
    ]
    if context.title:
        turns.insert(0, Turn("user", context.title.render(language)))
    return ThreadMessages(tuple(turns), collect_files(contents), unread=collect_unread(contents))


def limit_files(contents: list[MessageContent]) -> list[MessageContent]:
    """Keeps the latest files. The others become parts that cannot be read."""
    left = FILES_LIMIT
    limited: list[MessageContent] = []
    for content in reversed(contents):
        kept, dropped = content.files[:left], content.files[left:]
        left -= len(kept)
        unread = (*content.unread, *(UnreadPart("file", file.name) for file in dropped))
        limited.append(replace(content, files=kept, unread=unread))
    return limited[::-1]


def speaker_name(payload: Payload, reader: ContentReader) -> str:
    """The author. The message that began a thread is shown there under the name of its own author."""
    if as_number(payload.get("type")) == STARTER_TYPE:
        payload = as_mapping(payload.get("referenced_message"))
    return reader.display_name(as_mapping(payload.get("author")), as_mapping(payload.get("member")))
