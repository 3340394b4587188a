"""bindings.intake.commands: typed commands, and messages that only begin like one."""

from __future__ import annotations

import pytest

from bindings.incoming import BotCommand
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
        ("Arrêtez", "stop"),
        ("arre\u0302te", "stop"),
        ("regenerate", "regenerate"),
        ("again", "regenerate"),
        ("/recommence", "regenerate"),
        ("recommencer", "regenerate"),
        ("régénère", "regenerate"),
        ("forget", "forget"),
        ("Forget this conversation.", "forget"),
        ("oublie", "forget"),
        ("oublier", "forget"),
        ("Oublier cette conversation.", "forget"),
        ("Oublie cette  conversation", "forget"),
        ("personality", "personality"),
        ("personnalité", "personality"),
    ],
)
def test_a_message_with_only_a_command_is_a_command(text: str, name: str) -> None:
    """Language, case, accents, punctuation and a slash do not matter."""
    assert parse_command(text) == BotCommand(name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("personality chuchotte", "chuchotte"),
        ("Personnalité : Chuchotte", "chuchotte"),
        ("/personality whisper-2", "whisper-2"),
    ],
)
def test_the_personality_command_takes_a_name(text: str, chosen: str) -> None:
    assert parse_command(text) == BotCommand("personality", chosen)


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
def test_a_longer_message_is_no_command(text: str) -> None:
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
def test_a_command_gives_the_language(text: str, language: str | None) -> None:
    """The word "stop" exists in both languages."""
    assert language == command_language(text)
