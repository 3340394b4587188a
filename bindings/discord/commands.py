"""The slash commands as Discord is told of them, in English and French, and whether what it knows is still so. Pure.

https://discord.com/developers/docs/interactions/application-commands
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bindings.delivery.outlet import Translations
from bindings.discord import words

CHAT_INPUT = 1
TEXT, ATTACHMENT = 3, 11
IN_GUILDS, WITH_THE_BOT = 0, 1  # where a command can be used: not in people's private chats with each other
CHOICES = 25  # that Discord allows
TEXT_LIMIT = 6000


def definitions(personalities: Sequence[str]) -> list[dict[str, Any]]:
    return [
        command("ask", words.ASK_NAME, words.ASK, question(words.ASK_PROMPT), file("file", words.ASK_FILE)),
        command("personality", words.PERSONALITY_COMMAND_NAME, words.PERSONALITY, choice(personalities)),
        command(
            "toil",
            words.TOIL_NAME,
            words.TOIL,
            question(words.TOIL_PROMPT),
            file("schema", words.TOIL_SCHEMA),
            option(TEXT, "json", words.TOIL_JSON, max_length=TEXT_LIMIT),
            file("rows", words.TOIL_ROWS),
        ),
        command("forget", words.FORGET_NAME, words.FORGET),
    ]


def command(name: str, french: str, described: Translations, *options: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": CHAT_INPUT,
        "name": name,
        "name_localizations": {"fr": french},
        "description": described["en"],
        "description_localizations": {"fr": described["fr"]},
        "options": list(options),
        "contexts": [IN_GUILDS, WITH_THE_BOT],
        "integration_types": [0],
    }


def option(kind: int, name: str, described: Translations, **more: Any) -> dict[str, Any]:
    localized = {"fr": described["fr"]}
    return {
        "type": kind,
        "name": name,
        "description": described["en"],
        "description_localizations": localized,
        **more,
    }


def question(described: Translations) -> dict[str, Any]:
    return option(TEXT, "prompt", described, required=True, max_length=TEXT_LIMIT)


def file(name: str, described: Translations) -> dict[str, Any]:
    return option(ATTACHMENT, name, described)


def choice(personalities: Sequence[str]) -> dict[str, Any]:
    choices = [{"name": name, "value": name} for name in personalities[:CHOICES]]
    return option(TEXT, "name", words.PERSONALITY_NAME, choices=choices)


def registered(known: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether Discord knows exactly the wanted commands. Writing them anew each time is limited to 200 a day."""
    by_name = {each["name"]: each for each in known}
    return len(known) == len(wanted) and all(covers(by_name.get(each["name"], {}), each) for each in wanted)


def covers(known: Any, wanted: Any) -> bool:
    """What is known has defaults and ids that we did not write."""
    if isinstance(wanted, Mapping):
        return isinstance(known, Mapping) and all(covers(known.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(known or ()) == len(wanted) and all(covers(a, b) for a, b in zip(known or (), wanted, strict=True))
    return bool(known == wanted)
