"""Commands that people write as messages, in English and French. Pure.

A message is a command only if it consists of nothing else: "stop using commas please" is a question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from bindings.incoming import Command, CommandName, Incoming
from core.contract import Language

LIMIT_CHARS = 120  # nothing longer is a command

PHRASES: Mapping[CommandName, Mapping[Language, tuple[str, ...]]] = {
    "help": {"en": ("help",), "fr": ("aide",)},
    "stop": {"en": ("stop",), "fr": ("stop", "arrete", "arreter", "arretez")},
    "regenerate": {
        "en": ("regenerate", "again", "try again"),
        "fr": ("recommence", "recommencer", "recommencez", "regenere", "regenerer", "regenerez"),
    },
    "forget": {
        "en": ("forget", "forget this conversation"),
        "fr": tuple(
            f"{word}{what}" for word in ("oublie", "oublier", "oubliez") for what in ("", " cette conversation")
        ),
    },
    "personality": {"en": ("personality", "personalities"), "fr": ("personnalite", "personnalites")},
}
NAMES = {phrase: name for name, spoken in PHRASES.items() for phrases in spoken.values() for phrase in phrases}
CHOICE = re.compile(r"(personality|personnalite) ([a-z0-9-]+)")
SIGNS = re.compile(r"[^a-z0-9-]+")


def command_of(incoming: Incoming) -> Command | None:
    """By a button or a slash, or in words; with a file, words are about it."""
    return incoming.command or (None if incoming.files else command_in(incoming.text))


def command_in(text: str) -> Command | None:
    """The command that a message is. Case, accents, punctuation and a slash before it do not matter."""
    if len(text) > LIMIT_CHARS:
        return None
    words = folded(text)
    if name := NAMES.get(words):
        return Command(name)
    if choice := CHOICE.fullmatch(words):
        return Command("personality", choice[2])
    return None


def language_in(text: str) -> Language | None:
    """Of a command in words. None: both, or it is no command."""
    words = folded(text[:LIMIT_CHARS])
    if choice := CHOICE.fullmatch(words):
        words = choice[1]
    spoken = [
        language for by_language in PHRASES.values() for language, phrases in by_language.items() if words in phrases
    ]
    return spoken[0] if len(spoken) == 1 else None


def folded(text: str) -> str:
    """Small letters without accents, one blank between words."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    return SIGNS.sub(" ", plain).strip(" -")
