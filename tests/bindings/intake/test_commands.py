"""Commands in words: which messages are one, and which only begin like one."""

from __future__ import annotations

import pytest

from bindings.incoming import Command
from bindings.intake.commands import command_language, parse_command


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("help", "help"),
        ("Help!", "help"),
        ("/help", "help"),
        ("aide", "help"),
        ("  AIDE ? ", "help"),
        ("stop", "stop"),
        ("STOP!!!", "stop"),
        ("**stop**", "stop"),
        ("arrête", "stop"),
        ("arrete", "stop"),
        ("Arrêter.", "stop"),
        ("arre\u0302te", "stop"),
        ("regenerate", "regenerate"),
        ("again", "regenerate"),
        ("/recommence", "regenerate"),
        ("régénère", "regenerate"),
        ("forget", "forget"),
        ("Forget this conversation.", "forget"),
        ("oublie", "forget"),
        ("Oublie cette  conversation", "forget"),
        ("personality", "personality"),
        ("personnalité", "personality"),
    ],
)
def test_a_message_of_nothing_but_a_command_is_one(text: str, name: str) -> None:
    """In both languages, whatever its case, accents and punctuation, with or without a slash."""
    assert parse_command(text) == Command(name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("personality chuchotte", "chuchotte"),
        ("Personnalité : Chuchotte", "chuchotte"),
        ("/personality whisper-2", "whisper-2"),
    ],
)
def test_a_personality_is_named(text: str, chosen: str) -> None:
    assert parse_command(text) == Command("personality", chosen)


@pytest.mark.parametrize(
    "text",
    [
        "stop using commas please",
        "help me write a letter",
        "please help",
        "how do I forget",
        "again and again",
        "personality disorders in the workplace",
        "aide-mémoire",
        "non-stop",
        "",
        "?!",
        "stop " * 100,
        "ｈｅｌｐ me",
        "停止",
    ],
)
def test_a_message_that_says_more_is_none(text: str) -> None:
    assert parse_command(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("help", "en"),
        ("aide", "fr"),
        ("arrête", "fr"),
        ("stop", None),
        ("personality x", "en"),
        ("personnalité x", "fr"),
        ("Bonjour", None),
    ],
)
def test_a_command_tells_its_language(text: str, language: str | None) -> None:
    """Except for "stop", which is both."""
    assert language == command_language(text)
