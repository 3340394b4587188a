"""What becomes of recorded messages. Pure: no SDK, no network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bindings.discord.mapping import Around, place_of, to_prompt
from bindings.incoming import AttachedFile, IncomingMessage
from core.contract import Attachment
from tests.bindings.discord.support_payloads import ALICE, CHANNEL, DM, GUILD, ME, THREAD, payload

ROLE = str(payload("guild_create")["roles"][1]["id"])
AROUND = Around(ME["id"], frozenset({ROLE}))
IN_THREAD = Around(ME["id"], frozenset({ROLE}), parent=CHANNEL)
TAKING_PART = Around(ME["id"], frozenset({ROLE}), parent=CHANNEL, taking_part=True)


def mapped(name: str, around: Around = AROUND, **changes: Any) -> IncomingMessage:
    incoming = to_prompt(payload(name, **changes), around)
    assert incoming is not None
    return incoming


def test_a_mention_is_a_prompt_without_the_mention() -> None:
    """Wherever in the text it stands; emoji are read as their names."""
    incoming = mapped("message_mention")
    assert incoming.text == "Hey what is a feed? :blob:"
    assert incoming.event == f"discord:{incoming.message}"
    assert incoming.place.conversation == f"discord:{GUILD}:{CHANNEL}"
    assert (incoming.user, incoming.speaker) == (ALICE["id"], f"discord:{GUILD}:{ALICE['id']}")
    assert incoming.place.kind == "channel"


def test_the_old_form_of_a_mention_is_one() -> None:
    """And others who are mentioned are written as people see them: by their nickname there."""
    assert mapped("message_mention_old_form").text == "**what** is a feed, @Bobby?"


def test_a_mention_of_the_bots_own_role_is_one() -> None:
    """Of another role, it is not."""
    assert mapped("message_role_mention").text == "what is a feed?"
    assert to_prompt(payload("message_role_mention"), Around(ME["id"])) is None


def test_a_bare_mention_is_a_prompt_without_words() -> None:
    """Somebody calls the bot into a conversation."""
    assert mapped("message_bare_mention").text == ""


def test_a_reply_to_the_bot_is_a_prompt_that_quotes_it() -> None:
    """With its small print left out, and also if the reply does not ping."""
    for name in ("message_reply", "message_reply_without_ping"):
        incoming = mapped(name)
        assert incoming.text == "And in one sentence?"
        assert incoming.quoted == (Attachment("message from this assistant", "A feed is a list of articles."),)


def test_what_a_mention_replies_to_is_quoted_with_its_files() -> None:
    """Context, by whom it is from."""
    incoming = mapped("message_mention_in_reply_to_another")
    assert incoming.text == "translate this"
    assert incoming.quoted == (Attachment("message from Bob", "The office closes at noon on Friday, right @Bob?"),)
    assert ["notice.txt"] == [file.name for file in incoming.files]


def test_a_forwarded_message_is_quoted() -> None:
    """Discord sends it as a snapshot, without its author."""
    assert mapped("message_forward").quoted == (Attachment("forwarded message", "The pool is closed."),)


def test_a_reply_to_a_deleted_message_is_a_prompt() -> None:
    """There is nothing to quote."""
    assert mapped("message_reply_to_deleted").quoted == ()


def test_attachments_become_files() -> None:
    """With their media type, if Discord knows one."""
    first, second = mapped("message_attachments").files
    assert first == AttachedFile(
        "plan.md", payload("message_attachments")["attachments"][0]["url"], "text/markdown", 2048
    )
    assert (second.name, second.media_type) == ("data", "")


def test_a_direct_message_needs_no_mention() -> None:
    """It is in no guild."""
    incoming = mapped("message_dm")
    assert incoming.place.conversation == f"discord:{DM}"
    assert (incoming.place.kind, incoming.place.tenant) == ("personal", "")


def test_a_thread_is_a_conversation_of_its_channel() -> None:
    """So that a channel's personality and lists hold in its threads."""
    incoming = mapped("message_mention", IN_THREAD, channel_id=THREAD)
    assert incoming.place.conversation == f"discord:{GUILD}:{CHANNEL}:{THREAD}"
    assert (incoming.place.channel, incoming.place.thread) == (CHANNEL, THREAD)


def test_a_follow_up_in_a_thread_needs_no_mention_while_the_bot_takes_part() -> None:
    """Unless it is said to somebody else."""
    assert to_prompt(payload("message_thread"), IN_THREAD) is None
    assert mapped("message_thread", TAKING_PART).text == "What about Atom?"
    assert to_prompt(payload("message_thread_to_another"), TAKING_PART) is None


def test_what_cannot_be_read_is_not_for_us() -> None:
    """Without the intent others' messages come empty, in threads and as replies too."""
    assert to_prompt(payload("message_without_content"), TAKING_PART) is None
    assert to_prompt(payload("message_reply_without_ping", content=""), AROUND) is None
    assert to_prompt(payload("message_dm", content=""), AROUND) is None


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
def test_what_is_not_said_to_the_bot_is_ignored(name: str) -> None:
    """Bots, webhooks, Discord's own words, and people who talk to each other."""
    assert to_prompt(payload(name), AROUND) is None


@pytest.mark.parametrize("name", ["message_from_bot", "message_from_webhook", "message_from_self"])
def test_bots_are_ignored_where_the_bot_takes_part_too(name: str) -> None:
    """Or two bots would talk to each other for ever."""
    assert to_prompt(payload(name), TAKING_PART) is None
    assert to_prompt({key: value for key, value in payload(name).items() if key != "guild_id"}, AROUND) is None


def test_a_deletion_has_the_place_of_its_message() -> None:
    """By which what is under way for it is found."""
    assert place_of(payload("message_delete"), None) == mapped("message_mention").place
    thread = mapped("message_mention", IN_THREAD, channel_id=THREAD).place
    assert place_of(payload("message_delete_bulk"), CHANNEL) == thread


def test_what_is_no_text_is_left_out() -> None:
    """Halves of surrogate pairs and NULs, which a hostile client may send."""
    incoming = mapped("message_dm", content="a\ud83db\x00c", author={**ALICE, "id": "1"})
    assert incoming.text == "abc"


def test_a_message_survives_being_written_down() -> None:
    """A delivery is finished from that after a crash."""
    incoming = mapped("message_mention_in_reply_to_another")
    assert IncomingMessage.from_json(json.loads(json.dumps(incoming.to_json()))) == incoming
