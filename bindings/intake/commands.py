"""Commands that people type as messages, in English and French. Pure.

A message is a command only if it contains nothing else: "stop using commas please" is a question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bindings.incoming import BotCommand, CommandName, IncomingMessage
from core.contract import Language
from core.language import detect_language

FactsAction = Literal["list", "add", "remove"]

LIMIT_CHARS = 120  # longer messages are never commands

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
            f"{verb}{rest}" for verb in ("oublie", "oublier", "oubliez") for rest in ("", " cette conversation")
        ),
    },
    "personality": {"en": ("personality", "personalities"), "fr": ("personnalite", "personnalites")},
}
NAMES = {phrase: name for name, phrases_of in PHRASES.items() for phrases in phrases_of.values() for phrase in phrases}
PERSONALITY_CHOICE = re.compile(r"(personality|personnalite) ([a-z0-9-]+)")
FACTS_LIMIT_CHARS = 2200  # a command may contain a URL
FACTS_ACTIONS: Mapping[str, FactsAction] = {
    **dict.fromkeys(("list", "liste", "lister", "listez"), "list"),
    **dict.fromkeys(("add", "ajoute", "ajouter", "ajoutez"), "add"),
    **dict.fromkeys(
        ("remove", "delete", "retire", "retirer", "retirez", "supprime", "supprimer", "supprimez"), "remove"
    ),
}
FACTS_COMMAND = re.compile(
    rf"[/*_`\s]*(facts|faits)\s+({'|'.join(FACTS_ACTIONS)})(?:[\s:]+(\w[\w-]{{0,63}}))?(?:[\s:]+(.+?))?[\s.*`]*",
    re.IGNORECASE,
)
LINK = re.compile(r"<([^|>]*)(?:\|[^>]*)?>?")  # as Slack writes a URL: with its text, or without
SEPARATORS = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class FactsCommand:
    """`subject`: the URLs to add, apart by blanks, or the number or title to remove. Without one, files are added."""

    action: FactsAction
    collection: str = ""
    subject: str = ""


def find_command(incoming: IncomingMessage) -> BotCommand | None:
    """The command from a button, a slash command or the text. With a file attached, the text is about the file."""
    if incoming.command:
        return incoming.command
    facts = parse_facts_command(incoming.text)
    if facts and (facts.action == "add" or not incoming.files):
        return BotCommand("facts", incoming.text)
    return None if incoming.files else parse_command(incoming.text)


def parse_facts_command(text: str) -> FactsCommand | None:
    """The command "facts add leave https://…", with nothing else in the text: "facts add up to this" is a question."""
    found = FACTS_COMMAND.fullmatch(text.strip()) if len(text) <= FACTS_LIMIT_CHARS else None
    if found is None:
        return None
    action, collection = FACTS_ACTIONS[found[2].lower()], (found[3] or "").lower()
    subject = (found[4] or "").strip()
    if action == "add":
        urls = [LINK.sub(r"\1", word) for word in subject.split()]
        if not all(url.startswith(("http://", "https://")) for url in urls):
            return None
        subject = " ".join(urls)
    return None if action == "list" and subject else FactsCommand(action, collection, subject)


def parse_command(text: str) -> BotCommand | None:
    """The command that a text consists of. Ignores case, accents, punctuation and a leading slash."""
    if len(text) > LIMIT_CHARS:
        return None
    words = normalize(text)
    if name := NAMES.get(words):
        return BotCommand(name)
    if choice := PERSONALITY_CHOICE.fullmatch(words):
        return BotCommand("personality", choice[2])
    return None


def message_language(incoming: IncomingMessage) -> Language | None:
    """The language of the text; if that is unclear, the platform's setting."""
    return command_language(incoming.text) or detect_language(incoming.text) or incoming.language


def command_language(text: str) -> Language | None:
    """The language of a typed command. None: it exists in both languages, or the text is no command."""
    if parse_facts_command(text):
        return "fr" if "faits" in normalize(text[:LIMIT_CHARS]).split()[:1] else "en"
    words = normalize(text[:LIMIT_CHARS])
    if choice := PERSONALITY_CHOICE.fullmatch(words):
        words = choice[1]
    languages = [
        language for phrases_of in PHRASES.values() for language, phrases in phrases_of.items() if words in phrases
    ]
    return languages[0] if len(languages) == 1 else None


def normalize(text: str) -> str:
    """Lower case without accents, with one blank between words."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    return SEPARATORS.sub(" ", plain).strip(" -")
