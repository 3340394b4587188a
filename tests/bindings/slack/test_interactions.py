"""Slash commands and buttons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.incoming import BotCommand
from bindings.slack import interactions
from bindings.slack.interactions import SlackFeedback, parse_command, parse_feedback, parse_question, parse_regenerate
from tests.bindings.slack.support_fakes import ME, payload
from tests.bindings.slack.test_mapping import anything


def test_personality_is_answered_to_its_author_only() -> None:
    """It applies to the channel's conversation. The answer uses the response URL."""
    incoming = parse_command(payload("slash_personality"), ME)

    assert incoming is not None
    assert BotCommand("personality", "chuchotte") == incoming.command
    assert ("slack:T0001:C0001", True) == (incoming.place.conversation, incoming.place.threaded)
    assert "https://hooks.slack.com/commands/T0001/1/abc" == incoming.place.route["response_url"]
    assert incoming.event.startswith("slack:T0001:C0001:/")


def test_forget_has_no_argument() -> None:
    """Text after it is ignored."""
    incoming = parse_command({**payload("slash_forget"), "text": "everything"}, ME)

    assert incoming is not None
    assert BotCommand("forget") == incoming.command


def test_facts_is_a_command_as_it_is_typed() -> None:
    """Slack's command has no files, but a URL, a list and removals."""
    typed = {"command": "/facts", "text": "remove leave Parental leave"}
    incoming = parse_command({**payload("slash_personality"), **typed}, ME)

    assert incoming is not None
    assert BotCommand("facts", "facts remove leave Parental leave") == incoming.command


@pytest.mark.parametrize(("name", "toil"), [("slash_ask", False), ("slash_toil", True)])
def test_a_question_by_command_belongs_to_its_post(name: str, toil: bool) -> None:
    """Its thread gets the answer, and replies there continue the conversation."""
    incoming = parse_question(payload(name), ME, "1760000009.000100")

    assert toil == incoming.toil
    assert "slack:T0001:C0001:1760000009.000100" == incoming.event == incoming.place.conversation
    assert "1760000009.000100" == incoming.message == incoming.place.thread
    assert {"user": "U0ANN", "team": "T0001"} == incoming.place.route


def test_the_text_of_a_command_is_plain() -> None:
    """Tokens and escapes are handled as in messages."""
    assert "what is a <pension>?" == parse_question(payload("slash_ask"), ME, "1.1").text


@pytest.mark.parametrize(
    ("name", "conversation", "answer"),
    [
        ("block_actions_again", "slack:T0001:C0001:1760000001.000200", "ans-1"),
        ("block_actions_again_im", "slack:T0001:D0001", "ans-2"),
    ],
)
def test_the_regenerate_button_names_the_answer(name: str, conversation: str, answer: str) -> None:
    """The command belongs to the answer's conversation. Each press is a separate event."""
    incoming = parse_regenerate(payload(name), ME)

    assert incoming is not None
    assert BotCommand("regenerate", answer) == incoming.command
    assert conversation == incoming.place.conversation
    assert payload(name)["actions"][0]["action_ts"] in incoming.event


@pytest.mark.parametrize(("name", "value"), [("block_actions_good", "good"), ("block_actions_bad", "bad")])
def test_feedback_names_answer_and_person(name: str, value: str) -> None:
    """The person is identified as in messages."""
    found = parse_feedback(payload(name), ME)

    assert isinstance(found, SlackFeedback)
    assert ("ans-1", "slack:T0001:U0ANN", value) == (found.answer, found.speaker, found.value)


names = st.sampled_from(
    [
        "command",
        "channel_id",
        "user_id",
        "trigger_id",
        "team_id",
        "text",
        "actions",
        "container",
        "user",
        "team",
        "channel",
        "message",
        "value",
    ]
)


@given(body=st.dictionaries(names, anything | st.just([{"value": 7}]) | st.just({"id": 3})))
def test_fields_of_any_type_do_not_raise(body: dict[str, object]) -> None:
    """A signed body may contain any JSON value."""
    for function in (interactions.parse_command, interactions.parse_regenerate, interactions.parse_feedback):
        function(body, ME)
    interactions.parse_question(body, ME, "1.1")
