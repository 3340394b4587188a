"""Messages of Slack → `MessageContent`, for the question and for the other messages of its thread. Pure and total."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from bindings.content import MessageContent, MessagePart
from bindings.incoming import AttachedFile, UnreadPart
from bindings.slack.attached_files import FileFragment, read_attached
from bindings.slack.attachments import read_attachments
from bindings.slack.blocks import Fragment, join_text, read_blocks
from bindings.slack.markup import remove_mention, to_plain_text
from bindings.slack.payloads import SlackObject, get_object, get_objects, get_text
from bindings.slack.references import NO_REFERENCES, MarkupReferences
from bindings.slack.wording import add_wording, choose_wording

CALL_SUBTYPES = ("huddle_thread", "sh_room_created", "sh_room_shared")
WITHHELD_SUBTYPES = ("tombstone", "ekm_access_denied")  # deleted, or locked by the organisation
SLACKBOT = "USLACKBOT"


def read_message(message: SlackObject, references: MarkupReferences = NO_REFERENCES, own: str = "") -> MessageContent:
    """Reads a message. `own`: the bot's user id, whose mentions are left out of the text."""
    if message.get("subtype") in WITHHELD_SUBTYPES:
        return MessageContent(unread=(UnreadPart("message"),))
    blocks = list(read_blocks(get_objects(message, "blocks")))
    text = choose_own_words(message, blocks)
    if own:
        text = remove_mention(text, own)
    files = [*get_objects(message, "files"), *filter(None, (get_object(message, "file"),))]
    others: list[FileFragment] = [
        *(each for each in blocks if isinstance(each, UnreadPart)),
        *read_attachments(message, references),
        *chain.from_iterable(read_attached(file, references) for file in files),
    ]
    if message.get("subtype") in CALL_SUBTYPES:
        others.append(UnreadPart("call", get_text(get_object(message, "room"), "name")))
    if not text.strip() and not others and (message.get("blocks") or message.get("attachments")):
        others.append(UnreadPart("card"))  # only buttons, or parts of no known kind
    return build_content(text, others, references)


def choose_own_words(message: SlackObject, fragments: list[Fragment]) -> str:
    text, blocks = get_text(message, "text"), get_objects(message, "blocks")
    if is_by_app(message):
        return choose_wording(text, join_text(fragments), by_app=True)
    typed = [block for block in blocks if get_text(block, "type") == "rich_text"]
    others = [block for block in blocks if get_text(block, "type") != "rich_text"]
    own = choose_wording(text, join_text(read_blocks(typed)), by_app=False)
    return add_wording(own, join_text(read_blocks(others)))


def is_by_app(message: SlackObject) -> bool:
    """True for the messages of apps, of workflows and of Slack itself."""
    marks = message.get("bot_id") or message.get("bot_profile") or message.get("subtype") == "bot_message"
    return bool(marks) or get_text(message, "user") == SLACKBOT


def build_content(text: str, fragments: list[FileFragment], references: MarkupReferences) -> MessageContent:
    parts = [each for each in fragments if isinstance(each, MessagePart)]
    unread = [each for each in fragments if isinstance(each, UnreadPart)]
    return MessageContent(
        to_plain_text(text, references.names),
        tuple(
            replace(each, text=to_plain_text(each.text, references.names), author=to_plain_text(each.author))
            for each in parts
        ),
        tuple(each for each in fragments if isinstance(each, AttachedFile)),
        tuple(unread),
    )
