"""The definitions of the slash commands in English and French, and whether Discord already has them. Pure.

https://discord.com/developers/docs/interactions/application-commands
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.texts import text

CHAT_INPUT = 1
STRING, BOOLEAN, ATTACHMENT = 3, 5, 11
IN_GUILDS, WITH_THE_BOT, BETWEEN_PEOPLE = 0, 1, 2  # contexts of a command
GUILD_INSTALL, USER_INSTALL = 0, 1
CHOICES_LIMIT = 25
STRING_LIMIT = 6000
FACTS_URL_LIMIT, FACTS_TITLE_LIMIT = 2000, 200
# The names are part of the interface, as those of `csps-llm`'s commands are, so no catalogue can replace them.
FRENCH_NAMES = {
    "ask": "demander",
    "personality": "personnalité",
    "toil": "traiter",
    "forget": "oublier",
    "facts": "faits",
}
FACTS_ACTIONS = ("list", "add", "remove")


def build_commands(personalities: Sequence[str], *, for_users: bool = False) -> list[dict[str, Any]]:
    """`for_users`: people may install the bot for themselves, and then use its commands everywhere."""
    commands = build_guild_commands(personalities)
    for command in commands if for_users else ():
        command["contexts"].append(BETWEEN_PEOPLE)
        command["integration_types"].append(USER_INSTALL)
    return commands


def build_guild_commands(personalities: Sequence[str]) -> list[dict[str, Any]]:
    prompt = {"required": True, "max_length": STRING_LIMIT}
    choices = [{"name": name, "value": name} for name in personalities[:CHOICES_LIMIT]]
    return [
        build_command("ask", build_option(STRING, "ask", "prompt", **prompt), build_option(ATTACHMENT, "ask", "file")),
        build_command("personality", build_option(STRING, "personality", "name", choices=choices)),
        build_command(
            "toil",
            build_option(STRING, "toil", "prompt", **prompt),
            build_option(ATTACHMENT, "toil", "schema"),
            build_option(STRING, "toil", "json", max_length=STRING_LIMIT),
            build_option(ATTACHMENT, "toil", "rows"),
        ),
        build_command("forget"),
        build_command(
            "facts",
            build_option(STRING, "facts", "action", required=True, choices=build_facts_choices()),
            build_option(STRING, "facts", "collection", max_length=64),
            build_option(ATTACHMENT, "facts", "file"),
            build_option(STRING, "facts", "url", max_length=FACTS_URL_LIMIT),
            build_option(STRING, "facts", "title", max_length=FACTS_TITLE_LIMIT),
        ),
    ]


def build_facts_choices() -> list[dict[str, Any]]:
    return [
        {
            "name": text(f"discord-choice-facts-{action}", "en"),
            "name_localizations": {"fr": text(f"discord-choice-facts-{action}", "fr")},
            "value": action,
        }
        for action in FACTS_ACTIONS
    ]


def build_command(name: str, *options: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": CHAT_INPUT,
        "name": name,
        "name_localizations": {"fr": FRENCH_NAMES[name]},
        "description": text(f"discord-command-{name}", "en"),
        "description_localizations": {"fr": text(f"discord-command-{name}", "fr")},
        "options": [*options, build_private_option()],
        "contexts": [IN_GUILDS, WITH_THE_BOT],
        "integration_types": [GUILD_INSTALL],
    }


def build_option(kind: int, command: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "description": text(f"discord-option-{command}-{name}", "en"),
        "description_localizations": {"fr": text(f"discord-option-{command}-{name}", "fr")},
        **more,
    }


def build_private_option() -> dict[str, Any]:
    return {
        "type": BOOLEAN,
        "name": "private",
        "name_localizations": {"fr": "privé"},
        "description": text("discord-option-private", "en"),
        "description_localizations": {"fr": text("discord-option-private", "fr")},
    }


def are_registered(current: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> bool:
    """True if Discord has exactly the expected commands. It allows only 200 new commands a day."""
    by_name = {each["name"]: each for each in current}
    return len(current) == len(expected) and all(contains(by_name.get(each["name"], {}), each) for each in expected)


def contains(actual: Any, expected: Any) -> bool:
    """True if `actual` has every value of `expected`. Discord adds ids and defaults."""
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(contains(actual.get(key), each) for key, each in expected.items())
    if isinstance(expected, list):
        return len(actual or ()) == len(expected) and all(map(contains, actual or (), expected))
    return bool(actual == expected)
