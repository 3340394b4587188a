"""bindings.intake.commands: typed commands, and messages that only begin like one."""

from __future__ import annotations

import pytest

from bindings.incoming import BotCommand
from bindings.intake.commands import FactsCommand, command_language, find_command, parse_command, parse_facts_command
from tests.bindings.intake.support_intake import message


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


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("facts list", FactsCommand("list")),
        ("Facts list.", FactsCommand("list")),
        ("**facts list leave**", FactsCommand("list", "leave")),
        ("faits liste", FactsCommand("list")),
        ("Faits : ajouter", None),
        ("facts add Leave", FactsCommand("add", "leave")),
        ("faits ajouter leave https://a.example/x?y=1", FactsCommand("add", "leave", "https://a.example/x?y=1")),
        ("facts add leave <https://a.example>", FactsCommand("add", "leave", "https://a.example")),
        ("facts add leave <https://a.example/p|a.example/p>", FactsCommand("add", "leave", "https://a.example/p")),
        (
            "facts add leave https://a.example  https://b.example",
            FactsCommand("add", "leave", "https://a.example https://b.example"),
        ),
        ("faits ajouter congés", FactsCommand("add", "congés")),
        ("faits supprimer leave #3", FactsCommand("remove", "leave", "#3")),
        ("facts delete leave 3", FactsCommand("remove", "leave", "3")),
        ("facts remove leave 3", FactsCommand("remove", "leave", "3")),
        ("faits retirer leave Congé parental", FactsCommand("remove", "leave", "Congé parental")),
        ("facts add", FactsCommand("add")),
        ("facts add up to something", None),
        ("facts add leave https://a.example and more", None),
        ("facts list of all things", None),
        ("facts about leave", None),
        ("what facts list leave", None),
        ("facts", None),
        ("facts add leave https://a.example/" + "x" * 3000, None),
        ("facts remove leave one\ntwo", None),
    ],
)
def test_the_facts_command(text: str, command: FactsCommand | None) -> None:
    """A sentence that only begins like one is a question."""
    assert command == parse_facts_command(text)


def test_files_go_with_the_command_that_adds_them() -> None:
    """With another text, they are what the text is about."""
    add, other = (message(text, plan__md="https://files/1") for text in ("facts add leave", "facts list"))

    assert BotCommand("facts", "facts add leave") == find_command(add)
    assert find_command(other) is None
    assert ("en", "fr") == (command_language("facts add leave"), command_language("faits ajouter leave"))
