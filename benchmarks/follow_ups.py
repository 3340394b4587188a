"""Measures lookups in conversations and of questions with typing errors, beside a lookup by the last message alone.

The conversations are in tests/core/rag/questions/conversations.toml. Their rules were adjusted to the tuning part; the
held-out part is only measured. A lookup is right if it has the source or document that the last question needs, for the
right place and search words, and no other source. No answer cites sources here, as in a history that a caller keeps.

The typing errors are made from the labelled questions of `benchmarks.sources`: a letter swapped with its neighbour,
left out, doubled, or replaced by a neighbour on the keyboard, and accents left out. The seed is fixed, and nothing was
tuned by these questions. `--misses` lists wrong lookups.

    .venv/bin/python -m benchmarks.follow_ups [--misses]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.facts import GLOSSARY, labelled_documents
from core import PROJECT_ROOT
from core.configuration.personalities import Personality
from core.configuration.toml import BilingualText
from core.contract import Language
from core.language import detect_language
from core.rag.embeddings import LocalEmbedder
from core.rag.facts.finder import FactsFinder
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.sources.catalogue import PublicSource, Sources
from core.rag.sources.finder import names_of
from core.rag.sources.need import Need, NeedFinder
from core.rag.stemming import without_accents
from core.storage.database import Database

CONVERSATIONS = PROJECT_ROOT / "tests" / "core" / "rag" / "questions" / "conversations.toml"
QUESTIONS = PROJECT_ROOT / "tests" / "core" / "rag" / "sources" / "questions.toml"
SOURCES = PROJECT_ROOT / "config" / "sources.toml"
NONE = "none"
COLLECTION = "labelled"
WAYS = ("in the conversation", "last message alone")
SEED = 20261130
MISTYPED_QUESTIONS = 200
ERRORS_PER_QUESTION = 2
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True, slots=True)
class Expected:
    """The lookup that a question needs. `names`, `query`: None if any will do."""

    needs: str
    names: frozenset[str] | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledConversation:
    turns: tuple[str, ...]
    expected: Expected

    @property
    def question(self) -> LookupQuestion:
        return LookupQuestion(self.turns[-1], tuple(EarlierExchange(turn, "…") for turn in self.turns[:-1]))

    @property
    def last_alone(self) -> LookupQuestion:
        return LookupQuestion(self.turns[-1])


@dataclass(frozen=True, slots=True)
class Outcome:
    conversation: LabelledConversation
    is_right: bool
    is_false_fetch: bool
    found: str


def labelled_conversations(part: str, kind: str) -> list[LabelledConversation]:
    content = tomllib.loads(CONVERSATIONS.read_text(encoding="utf-8"))
    return [LabelledConversation(tuple(each["turns"]), expected_of(each)) for each in content[part][kind]]


def expected_of(entry: dict[str, Any]) -> Expected:
    name = entry.get("name")
    names = None if name is None else frozenset([name] if isinstance(name, str) else name)
    return Expected(entry["needs"], names, entry.get("query"))


# ---------------------------------------------------------------- sources


class SourceLookups:
    """Looks up which sources a question needs, with the shipped sources, the bundled encoder and no model."""

    def __init__(self, embedder: LocalEmbedder) -> None:
        self._sources = Sources(SOURCES)
        self._sources.load()
        names = tuple(self._sources.catalogue.sources)
        self._personality = personality(sources=names)
        self.needs = NeedFinder(self._sources, embedder)

    async def judge(self, conversation: LabelledConversation, question: LookupQuestion) -> Outcome:
        need = await self.needs.find(self._personality, question, detect_language(question.text) or "en")
        expected = conversation.expected
        is_right = [each.name for each in need.sources] == ([] if expected.needs == NONE else [expected.needs])
        found = ", ".join(describe(each, need, self._query(each, need)) for each in need.sources) or NONE
        if is_right and need.sources:
            is_right = self._is_right_place(need, expected)
        return Outcome(conversation, is_right, expected.needs == NONE and bool(need.sources), found)

    def _query(self, source: PublicSource, need: Need) -> str:
        return self.needs.query(source, need.texts)

    def _is_right_place(self, need: Need, expected: Expected) -> bool:
        (source,) = need.sources
        names = {found.item.name for found in names_of(source, need.texts).found}
        query = self._query(source, need)
        return (expected.names is None or names == expected.names) and (
            expected.query is None or expected.query in query
        )


def describe(source: PublicSource, need: Need, query: str) -> str:
    names = [found.item.name for found in names_of(source, need.texts).found]
    return f"{source.name} ({', '.join(names) or query})"


def personality(**fields: tuple[str, ...]) -> Personality:
    return Personality(
        name="labelled",
        title="Labelled",
        language="en",
        greeting="Hello.",
        system="You answer.",
        description=BilingualText(en="It answers.", fr="Répond."),
        **fields,  # type: ignore[arg-type]
    )


# ---------------------------------------------------------------- facts


class FactLookups:
    """Looks up facts among the labelled documents of `benchmarks.facts`."""

    def __init__(self, store: FactStore) -> None:
        self._finder = FactsFinder(store)
        self._titles = {each.key: each.document.title for each in labelled_documents()}
        self._personality = personality(collections=(COLLECTION,))

    async def judge(self, conversation: LabelledConversation, question: LookupQuestion) -> Outcome:
        language: Language = detect_language(question.text) or "en"
        lookup = await self._finder.find(self._personality, question, language)
        names = [document.name for document in lookup.documents]
        needs = conversation.expected.needs
        is_right = not names if needs == NONE else self._titles[needs] in names
        return Outcome(conversation, is_right, needs == NONE and bool(names), ", ".join(names) or NONE)


@asynccontextmanager
async def fact_lookups(embedder: LocalEmbedder) -> AsyncIterator[FactLookups]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'facts.db'}")
        await database.upgrade()
        store = FactStore(database, embedder, Glossary.load(GLOSSARY))
        await store.replace(COLLECTION, COLLECTION, list(labelled_documents()), {})
        yield FactLookups(store)
        await database.close()


# ---------------------------------------------------------------- typing errors


def mistyped(question: str, chance: random.Random) -> str:
    """Returns the question with up to ERRORS_PER_QUESTION typing errors, in its longer words."""
    words = question.split(" ")
    long_words = [at for at, word in enumerate(words) if sum(map(str.isalpha, word)) >= 5]
    for at in chance.sample(long_words, min(ERRORS_PER_QUESTION, len(long_words))):
        words[at] = mistyped_word(words[at], chance)
    return " ".join(words)


def mistyped_word(word: str, chance: random.Random) -> str:
    """Makes one error behind the first letter."""
    if without_accents(word) != word and chance.random() < 0.3:
        return without_accents(word)
    at = chance.choice([at for at in range(1, len(word)) if word[at].isalpha()])
    match chance.choice(("swap", "drop", "double", "neighbour")):
        case "swap" if at + 1 < len(word) and word[at + 1].isalpha():
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case "double":
            return word[:at] + word[at] + word[at:]
        case "neighbour":
            return word[:at] + neighbour(without_accents(word[at]).lower(), chance) + word[at + 1 :]
    return word[:at] + word[at + 1 :]


def neighbour(letter: str, chance: random.Random) -> str:
    row = next((row for row in KEYBOARD if letter in row), letter)
    at = row.index(letter) if letter in row else 0
    return chance.choice([row[near] for near in (at - 1, at + 1) if 0 <= near < len(row)] or [letter])


def mistyped_questions() -> Iterator[tuple[str, str]]:
    """Yields (question, source), of questions that need one."""
    chance = random.Random(SEED)
    labelled = [
        (question, label)
        for part in tomllib.loads(QUESTIONS.read_text(encoding="utf-8")).values()
        for label, questions in part.items()
        if label != NONE
        for question in questions
    ]
    for question, label in chance.sample(labelled, MISTYPED_QUESTIONS):
        yield mistyped(question, chance), label


async def measure_typing_errors(lookups: SourceLookups, *, misses: bool = False) -> tuple[int, int]:
    """Returns the number of questions whose source is found, and of all."""
    right = 0
    questions = list(mistyped_questions())
    for question, label in questions:
        outcome = await lookups.judge(LabelledConversation((question,), Expected(label)), LookupQuestion(question))
        right += outcome.is_right
        if misses and not outcome.is_right:
            print(f"typing errors: {question} needs {label}, got {outcome.found}")
    return right, len(questions)


# ---------------------------------------------------------------- the run


async def measure(
    lookups: SourceLookups | FactLookups, conversations: Sequence[LabelledConversation]
) -> dict[str, list[Outcome]]:
    """Returns the outcomes by way."""
    return {
        WAYS[0]: [await lookups.judge(each, each.question) for each in conversations],
        WAYS[1]: [await lookups.judge(each, each.last_alone) for each in conversations],
    }


async def run(*, misses: bool) -> None:
    embedder = LocalEmbedder()
    sources = SourceLookups(embedder)
    await sources.needs.warm()
    table = Table("part", "kind", "by", "right", "", "fetched in vain")
    async with fact_lookups(embedder) as facts:
        for part in ("tuning", "held-out"):
            for kind, lookups in (("sources", sources), ("facts", facts)):
                by_way = await measure(lookups, labelled_conversations(part, kind))
                for way, outcomes in by_way.items():
                    table.add_row(part, kind, way, *row_of(outcomes))
                for each in by_way[WAYS[0]] if misses else ():
                    if not each.is_right:
                        print(f"{part}: {each.conversation.turns} needs {each.conversation.expected}, got {each.found}")
    Console().print(table)
    right, total = await measure_typing_errors(sources, misses=misses)
    print(f"{right} of {total} questions with typing errors are right ({100 * right / total:.1f} %)")
    await embedder.close()


def row_of(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    right = sum(each.is_right for each in outcomes)
    needless = [each for each in outcomes if each.conversation.expected.needs == NONE]
    in_vain = sum(each.is_false_fetch for each in needless)
    return f"{right}/{len(outcomes)}", f"{100 * right / len(outcomes):.1f} %", f"{in_vain}/{len(needless)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true")
    asyncio.run(run(misses=parser.parse_args().misses))


if __name__ == "__main__":
    main()
