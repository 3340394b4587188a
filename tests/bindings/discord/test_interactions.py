"""Recorded slash commands and button presses become values; the commands are registered."""

from __future__ import annotations

import json
import re

import pytest

from bindings.discord.interactions import (
    build_acknowledgement,
    build_regenerate,
    parse_button_press,
    parse_slash_command,
)
from bindings.discord.mapping import Payload
from bindings.discord.slash_commands import are_registered, build_commands
from bindings.incoming import BotCommand, IncomingMessage
from bindings.selftest.discord_payloads import ALICE, CHANNEL, DM, GUILD, THREAD, payload


def parse_recorded(name: str) -> IncomingMessage:
    incoming = parse_slash_command(payload(name))
    assert incoming is not None
    return incoming


def test_ask_becomes_a_prompt() -> None:
    """The prompt has the file, and the token that a reply needs."""
    incoming = parse_recorded("interaction_ask")
    recorded = payload("interaction_ask")
    assert (incoming.text, incoming.language, incoming.command) == ("What is a feed?", "en", None)
    assert [("plan.md", "text/markdown")] == [(file.name, file.media_type) for file in incoming.files]
    assert incoming.event == f"discord:i{recorded['id']}"
    assert incoming.place.conversation == f"discord:{GUILD}:{CHANNEL}"
    assert incoming.place.route == {
        "interaction": recorded["id"],
        "application": recorded["application_id"],
        "token": recorded["token"],
    }
    assert incoming.user == ALICE["id"]


def test_ask_in_a_thread_continues_it() -> None:
    """It has the conversation id of the thread's messages."""
    assert parse_recorded("interaction_ask_in_thread").place.conversation == f"discord:{GUILD}:{CHANNEL}:{THREAD}"


def test_ask_works_in_a_direct_message() -> None:
    """The person is no member of a guild there; the language is French."""
    incoming = parse_recorded("interaction_ask_dm")
    assert (incoming.place.conversation, incoming.place.kind) == (f"discord:{DM}", "personal")
    assert (incoming.language, incoming.user) == ("fr", ALICE["id"])


def test_toil_has_its_schema_and_rows() -> None:
    """Both are files here. A schema typed in becomes a code block."""
    incoming = parse_recorded("interaction_toil")
    assert incoming.toil
    assert ["s.json", "rows.csv"] == [file.name for file in incoming.files]
    assert incoming.text == 'Sort this\n```json\n{"type": "object"}\n```'


def test_personality_and_forget_are_commands() -> None:
    """They have no question."""
    assert parse_recorded("interaction_personality").command == BotCommand("personality", "chuchotte")
    assert parse_recorded("interaction_forget").command == BotCommand("forget")


def test_facts_is_a_command_with_its_options() -> None:
    """They become what a person would type; the file comes along."""
    recorded = payload("interaction_personality")
    options = [
        {"name": "collection", "value": "leave"},
        {"name": "action", "value": "add"},
        {"name": "file", "value": "7"},
    ]
    file = {"id": "7", "filename": "plan.md", "url": "https://cdn.discordapp.com/plan.md", "size": 5}
    data = {**recorded["data"], "name": "facts", "options": options, "resolved": {"attachments": {"7": file}}}
    incoming = parse_slash_command({**recorded, "data": data})

    assert incoming is not None
    assert BotCommand("facts", "facts add leave") == incoming.command
    assert ["plan.md"] == [each.name for each in incoming.files]


def test_a_press_needs_no_stored_data() -> None:
    """It may come weeks later, to another process."""
    press = parse_button_press(payload("interaction_button_good"))
    assert press is not None
    assert (press.action, press.answer, press.speaker) == ("good", "a-1_B", f"discord:{GUILD}:{ALICE['id']}")
    assert press.place.route == {}


@pytest.mark.parametrize("name", ["interaction_button_unknown", "interaction_ask"])
def test_other_buttons_are_ignored(name: str) -> None:
    """Neither another bot's button nor another type of interaction is a press."""
    assert parse_button_press(payload(name)) is None


def test_regenerate_replies_to_the_answer() -> None:
    """The language is that of the person who pressed."""
    recorded = payload("interaction_button_regenerate")
    press = parse_button_press(recorded)
    assert press is not None
    incoming = build_regenerate(press, recorded)
    assert (incoming.command, incoming.language) == (BotCommand("regenerate", "a-1_B"), "fr")
    assert (incoming.message, incoming.place.route) == (recorded["message"]["id"], {})


def test_only_the_asker_may_stop_an_answer() -> None:
    """The asker is known from the message or command. If unknown, anybody may stop it."""
    own, other = payload("interaction_button_stop"), payload("interaction_button_stop_by_another")
    by_command = {**other["message"], "interaction_metadata": {"user": ALICE}}
    unknown = {**other["message"], "referenced_message": None}

    def is_allowed(recorded: Payload) -> bool:
        press = parse_button_press(recorded)
        assert press is not None
        return press.is_allowed

    assert [True, False] == [is_allowed(own), is_allowed(other)]
    assert [True, True] == [is_allowed({**other, "message": message}) for message in (by_command, unknown)]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("interaction_ask", {"type": 5}),
        ("interaction_button_good", {"type": 5, "data": {"flags": 64}}),
        ("interaction_button_regenerate", {"type": 6}),
        ("interaction_button_stop", {"type": 6}),
        ("interaction_button_stop_by_another", {"type": 5, "data": {"flags": 64}}),
        ("interaction_button_unknown", {"type": 6}),
    ],
)
def test_every_interaction_is_acknowledged(name: str, body: object) -> None:
    """Commands show "thinking …". A press gets a private answer or none."""
    assert body == build_acknowledgement(payload(name))


def test_commands_are_described_in_both_languages() -> None:
    """Names and lengths are within Discord's limits."""
    commands = build_commands(["whisper", "chuchotte"])
    for each in [*commands, *[option for command in commands for option in command["options"]]]:
        assert 1 <= len(each["description"]) <= 100
        assert 1 <= len(each["description_localizations"]["fr"]) <= 100
        names = [each["name"], *each.get("name_localizations", {}).values()]
        assert all(re.fullmatch(r"[-_'\w]{1,32}", name) and name == name.lower() for name in names)
    assert [{"name": "whisper", "value": "whisper"}, {"name": "chuchotte", "value": "chuchotte"}] == commands[1][
        "options"
    ][0]["choices"]


def test_commands_are_registered_only_after_a_change() -> None:
    """Ids and defaults that Discord adds are no change."""
    wanted = build_commands(["whisper"])
    known = [{**each, "id": "1", "version": "2", "nsfw": False} for each in json.loads(json.dumps(wanted))]
    assert are_registered(known, wanted)
    assert not are_registered(known[1:], wanted)
    assert not are_registered([], wanted)
    assert not are_registered(known, build_commands(["whisper", "chuchotte"]))
    assert not are_registered([*known, {"name": "old"}], wanted)


def test_personality_choices_are_within_discords_limit() -> None:
    """The others can be chosen by a message."""
    choice = build_commands([f"p{number}" for number in range(40)])[1]["options"][0]
    assert 25 == len(choice["choices"])
