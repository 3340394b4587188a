"""Recorded messages become incoming messages. Pure: no SDK, no network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bindings.discord.mapping import ChannelContext, build_place, parse_message
from bindings.incoming import AttachedFile, IncomingMessage
from bindings.selftest.discord_payloads import ALICE, CHANNEL, DM, GUILD, ME, THREAD, payload
from core.contract import Attachment

ROLE = str(payload("guild_create")["roles"][1]["id"])
IN_CHANNEL = ChannelContext(ME["id"], frozenset({ROLE}))
IN_THREAD = ChannelContext(ME["id"], frozenset({ROLE}), parent=CHANNEL)
PARTICIPATING = ChannelContext(ME["id"], frozenset({ROLE}), parent=CHANNEL, participating=True)


def parse_recorded(name: str, context: ChannelContext = IN_CHANNEL, **changes: Any) -> IncomingMessage:
    incoming = parse_message(payload(name, **changes), context)
    assert incoming is not None
    return incoming


def test_a_mention_is_a_prompt_without_the_mention() -> None:
    """The mention may stand anywhere. Emoji become their names."""
    incoming = parse_recorded("message_mention")
    assert incoming.text == "Hey what is a feed? :blob:"
    assert incoming.event == f"discord:{incoming.message}"
    assert incoming.place.conversation == f"discord:{GUILD}:{CHANNEL}"
    assert (incoming.user, incoming.speaker) == (ALICE["id"], f"discord:{GUILD}:{ALICE['id']}")
    assert incoming.place.kind == "channel"


def test_the_old_form_of_a_mention_counts() -> None:
    """Other mentions become the nicknames that people see."""
    assert parse_recorded("message_mention_old_form").text == "**what** is a feed, @Bobby?"


def test_a_mention_of_the_bots_own_role_counts() -> None:
    """A mention of another role does not."""
    assert parse_recorded("message_role_mention").text == "what is a feed?"
    assert parse_message(payload("message_role_mention"), ChannelContext(ME["id"])) is None


def test_a_bare_mention_is_an_empty_prompt() -> None:
    """Somebody calls the bot into a conversation."""
    assert parse_recorded("message_bare_mention").text == ""


def test_a_reply_to_the_bot_is_a_prompt_that_quotes_it() -> None:
    """The quote lacks its small print. The reply need not ping."""
    for name in ("message_reply", "message_reply_without_ping"):
        incoming = parse_recorded(name)
        assert incoming.text == "And in one sentence?"
        assert incoming.quoted == (Attachment("message from this assistant", "A feed is a list of articles."),)


def test_a_message_that_a_mention_replies_to_is_quoted_with_its_files() -> None:
    """The quote names its author."""
    incoming = parse_recorded("message_mention_in_reply_to_another")
    assert incoming.text == "translate this"
    assert incoming.quoted == (Attachment("message from Bob", "The office closes at noon on Friday, right @Bob?"),)
    assert ["notice.txt"] == [file.name for file in incoming.files]


def test_a_forwarded_message_is_quoted() -> None:
    """Discord sends it as a snapshot without its author."""
    assert parse_recorded("message_forward").quoted == (Attachment("forwarded message", "The pool is closed."),)


def test_a_reply_to_a_deleted_message_is_a_prompt() -> None:
    """It quotes nothing."""
    assert parse_recorded("message_reply_to_deleted").quoted == ()


def test_attachments_become_files() -> None:
    """They have a media type if Discord knows it."""
    first, second = parse_recorded("message_attachments").files
    assert first == AttachedFile(
        "plan.md", payload("message_attachments")["attachments"][0]["url"], "text/markdown", 2048
    )
    assert (second.name, second.media_type) == ("data", "")


def test_a_direct_message_needs_no_mention() -> None:
    """It belongs to no guild."""
    incoming = parse_recorded("message_dm")
    assert incoming.place.conversation == f"discord:{DM}"
    assert (incoming.place.kind, incoming.place.tenant) == ("personal", "")


def test_a_thread_is_a_conversation_of_its_channel() -> None:
    """The channel's personality and access lists therefore apply in its threads."""
    incoming = parse_recorded("message_mention", IN_THREAD, channel_id=THREAD)
    assert incoming.place.conversation == f"discord:{GUILD}:{CHANNEL}:{THREAD}"
    assert (incoming.place.channel, incoming.place.thread) == (CHANNEL, THREAD)


def test_a_follow_up_in_the_bots_thread_needs_no_mention() -> None:
    """A message to somebody else is ignored."""
    assert parse_message(payload("message_thread"), IN_THREAD) is None
    assert parse_recorded("message_thread", PARTICIPATING).text == "What about Atom?"
    assert parse_message(payload("message_thread_to_another"), PARTICIPATING) is None


def test_an_empty_message_is_ignored() -> None:
    """Without the intent, other messages come empty, also in threads and as replies."""
    assert parse_message(payload("message_without_content"), PARTICIPATING) is None
    assert parse_message(payload("message_reply_without_ping", content=""), IN_CHANNEL) is None
    assert parse_message(payload("message_dm", content=""), IN_CHANNEL) is None


@pytest.mark.parametrize(
    "name",
    [
        "message_everyone",
        "message_from_bot",
        "message_from_webhook",
        "message_from_self",
        "message_member_joined",
        "message_pinned",
        "message_thread",
    ],
)
def test_messages_that_are_not_to_the_bot_are_ignored(name: str) -> None:
    """They are from bots, webhooks and Discord itself, or between people."""
    assert parse_message(payload(name), IN_CHANNEL) is None


@pytest.mark.parametrize("name", ["message_from_bot", "message_from_webhook", "message_from_self"])
def test_bots_are_ignored_in_the_bots_threads_too(name: str) -> None:
    """Two bots would otherwise answer each other for ever."""
    assert parse_message(payload(name), PARTICIPATING) is None
    assert parse_message({key: value for key, value in payload(name).items() if key != "guild_id"}, IN_CHANNEL) is None


def test_a_deletion_has_the_place_of_its_message() -> None:
    """The running answer is found by it."""
    assert build_place(payload("message_delete"), None) == parse_recorded("message_mention").place
    thread = parse_recorded("message_mention", IN_THREAD, channel_id=THREAD).place
    assert build_place(payload("message_delete_bulk"), CHANNEL) == thread


def test_characters_that_are_not_text_are_removed() -> None:
    """A hostile client may send lone surrogates and NULs."""
    incoming = parse_recorded("message_dm", content="a\ud83db\x00c", author={**ALICE, "id": "1"})
    assert incoming.text == "abc"


def test_a_message_survives_the_database() -> None:
    """After a crash the delivery is finished from there."""
    incoming = parse_recorded("message_mention_in_reply_to_another")
    assert IncomingMessage.from_json(json.loads(json.dumps(incoming.to_json()))) == incoming
