"""What becomes of recorded slash commands and presses; what Discord is told of the commands."""

from __future__ import annotations

import json
import re

import pytest

from bindings.discord import commands, interactions
from bindings.discord.interactions import acknowledgement, allowed, press_of, to_prompt
from bindings.discord.mapping import Payload
from bindings.incoming import BotCommand, IncomingMessage
from tests.bindings.discord.support_payloads import ALICE, CHANNEL, DM, GUILD, THREAD, payload


def asked(name: str) -> IncomingMessage:
    incoming = to_prompt(payload(name))
    assert incoming is not None
    return incoming


def test_ask_is_a_prompt() -> None:
    """With its file, and with the token by which it is answered."""
    incoming = asked("interaction_ask")
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
    """The same conversation as that of messages there."""
    assert asked("interaction_ask_in_thread").place.conversation == f"discord:{GUILD}:{CHANNEL}:{THREAD}"


def test_ask_in_a_direct_message() -> None:
    """Where the person is not a member of anything; and in French."""
    incoming = asked("interaction_ask_dm")
    assert (incoming.place.conversation, incoming.place.kind) == (f"discord:{DM}", "personal")
    assert (incoming.language, incoming.user) == ("fr", ALICE["id"])


def test_toil_has_its_schema_and_rows() -> None:
    """As files, or typed in: then as a block of code, in which schemas are looked for."""
    incoming = asked("interaction_toil")
    assert incoming.toil
    assert ["s.json", "rows.csv"] == [file.name for file in incoming.files]
    assert incoming.text == 'Sort this\n```json\n{"type": "object"}\n```'


def test_personality_and_forget_are_commands() -> None:
    """Done instead of answered."""
    assert asked("interaction_personality").command == BotCommand("personality", "chuchotte")
    assert asked("interaction_forget").command == BotCommand("forget")


def test_a_press_says_all_by_itself() -> None:
    """It may come weeks later, to another process."""
    press = press_of(payload("interaction_button_good"))
    assert press is not None
    assert (press.verb, press.answer, press.speaker) == ("good", "a-1_B", f"discord:{GUILD}:{ALICE['id']}")
    assert press.place.route == {}


@pytest.mark.parametrize("name", ["interaction_button_unknown", "interaction_ask"])
def test_what_is_no_button_of_ours_is_none(name: str) -> None:
    """Others' buttons, other kinds of interactions."""
    assert press_of(payload(name)) is None


def test_regenerate_goes_below_the_answer() -> None:
    """As a reply to it, in the language of whoever pressed."""
    recorded = payload("interaction_button_regenerate")
    press = press_of(recorded)
    assert press is not None
    incoming = interactions.again(press, recorded)
    assert (incoming.command, incoming.language) == (BotCommand("regenerate", "a-1_B"), "fr")
    assert (incoming.message, incoming.place.route) == (recorded["message"]["id"], {})


def test_only_who_asked_may_stop() -> None:
    """By a message or by a command; where it cannot be known, anybody."""
    own, other = payload("interaction_button_stop"), payload("interaction_button_stop_by_another")
    by_command = {**other["message"], "interaction_metadata": {"user": ALICE}}
    unknown = {**other["message"], "referenced_message": None}

    def may(recorded: Payload) -> bool:
        press = press_of(recorded)
        assert press is not None
        return allowed(press)

    assert [True, False] == [may(own), may(other)]
    assert [True, True] == [may({**other, "message": message}) for message in (by_command, unknown)]


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
def test_everything_is_acknowledged(name: str, body: object) -> None:
    """Commands show that they are thought about; presses answer to the person alone, or not at all."""
    assert body == acknowledgement(payload(name))


def test_commands_are_described_in_both_languages() -> None:
    """By names and lengths that Discord allows."""
    described = commands.definitions(["whisper", "chuchotte"])
    for each in [*described, *[option for command in described for option in command["options"]]]:
        assert 1 <= len(each["description"]) <= 100
        assert 1 <= len(each["description_localizations"]["fr"]) <= 100
        names = [each["name"], *each.get("name_localizations", {}).values()]
        assert all(re.fullmatch(r"[-_'\w]{1,32}", name) and name == name.lower() for name in names)
    assert [{"name": "whisper", "value": "whisper"}, {"name": "chuchotte", "value": "chuchotte"}] == described[1][
        "options"
    ][0]["choices"]


def test_commands_are_written_only_if_they_changed() -> None:
    """Discord adds ids and defaults of its own."""
    wanted = commands.definitions(["whisper"])
    known = [{**each, "id": "1", "version": "2", "nsfw": False} for each in json.loads(json.dumps(wanted))]
    assert commands.registered(known, wanted)
    assert not commands.registered(known[1:], wanted)
    assert not commands.registered([], wanted)
    assert not commands.registered(known, commands.definitions(["whisper", "chuchotte"]))
    assert not commands.registered([*known, {"name": "old"}], wanted)


def test_no_more_personalities_are_offered_than_discord_takes() -> None:
    """Others can still be chosen by a message."""
    choice = commands.definitions([f"p{number}" for number in range(40)])[1]["options"][0]
    assert 25 == len(choice["choices"])
