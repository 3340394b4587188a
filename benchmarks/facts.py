"""What the fact store finds, and how fast: recall on labelled questions, passages a second, search times.

Recall@5 is the share of questions whose document is among those of the first five passages. Questions come in four
directions (the language asked in, the language answered in). The held-out ones were written after weights and glossary
were settled, and nothing was changed by them. Each method finds five passages of the same store:

    words       BM25 of the question's own stems
    synonyms    BM25 with the glossary's words as well
    meaning     cosine of embeddings
    ranks       synonyms and meaning by reciprocal ranks (k=60)
    hybrid      what `FactStore.search` does

Speed is of made-up passages, with words as frequent as in the labelled texts and a long tail of rare ones.

    .venv/bin/python -m benchmarks.facts [--passages 10000 100000] [--database URL]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from core.contract import Language
from core.rag.documents import Document, Passage
from core.rag.embed import LocalEmbedder
from core.rag.facts.documents import Fresh
from core.rag.facts.glossary import Glossary
from core.rag.facts.lexical import rank
from core.rag.facts.search import CANDIDATES
from core.rag.facts.store import FactStore
from core.rag.facts.sync import Content, Entry, Origin, sync
from core.rag.facts.tables import documents, passages
from core.rag.facts.vectors import VectorCache
from core.rag.reading import markdown
from core.settings import ROOT
from core.storage import Database

LABELLED = ROOT / "tests" / "core" / "rag" / "facts" / "labelled"
GLOSSARY = ROOT / "config" / "glossary.toml"
DIRECTIONS = ("en→en", "fr→fr", "fr→en", "en→fr")
METHODS = ("words", "synonyms", "meaning", "ranks", "hybrid")
LIMIT = 5
RANKS_K = 60
PASSAGES_PER_DOCUMENT = 10
PASSAGE_WORDS = (45, 95)
RARE_SHARE, RARE_WORDS = 0.06, 30_000
SEARCHES = 300
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Question:
    text: str
    language: Language
    answer: str
    direction: str


# ---------------------------------------------------------------- recall


def labelled_documents() -> Iterator[Fresh]:
    for language in ("en", "fr"):
        for each in tomllib.loads((LABELLED / f"documents-{language}.toml").read_text(encoding="utf-8"))["document"]:
            yield Fresh(
                each["id"], "", WHEN, Document(each["title"], tuple(paragraphs(each["text"])), "text", language)
            )


def paragraphs(text: str) -> Iterator[Passage]:
    """Each a passage, as in longer documents; whole ones of this length would be one or two."""
    heading = ""
    for block in markdown.blocks(text):
        if block.kind == "heading":
            heading = block.text
        else:
            yield Passage(block.text, heading)


def labelled_questions(name: str, languages: Mapping[str, str | None]) -> list[Question]:
    return [
        Question(each[language], language, each["answer"], f"{language}→{languages[each['answer']]}")
        for each in tomllib.loads((LABELLED / f"{name}.toml").read_text(encoding="utf-8"))["question"]
        for language in ("en", "fr")
        if language in each
    ]


class Methods:
    """The halves of the hybrid by themselves, on the same tables."""

    def __init__(self, database: Database, embedder: LocalEmbedder, store: FactStore, glossary: Glossary) -> None:
        self._database = database
        self._embedder = embedder
        self._store = store
        self._glossary = glossary
        self._cache = VectorCache(embedder.name)

    async def found(self, question: Question) -> dict[str, list[str]]:
        """The documents of the first LIMIT passages, by method."""
        vector = (await self._embedder.embed([question.text]))[0]
        by_method = await self._database.read(partial(self._halves, question=question.text, vector=vector))
        hybrid = await self._store.search(["labelled"], question.text, LIMIT, question.language)
        return {**by_method, "hybrid": [each.key for each in hybrid]}

    def _halves(self, db: sa.Connection, question: str, vector: NDArray[np.float32]) -> dict[str, list[str]]:
        held = self._cache.load(db, "labelled", len(vector))
        total = len(held.ids)
        words = rank(db, [held.collection], Glossary().phrases(question), total, CANDIDATES)
        synonyms = rank(db, [held.collection], self._glossary.phrases(question), total, CANDIDATES)
        meaning = held.nearest(vector, CANDIDATES)
        scores = {"words": words, "synonyms": synonyms, "meaning": meaning, "ranks": by_ranks(synonyms, meaning)}
        return {method: owners(db, best(each)) for method, each in scores.items()}


def best(scores: Mapping[int, float]) -> list[int]:
    return sorted(scores, key=lambda passage: -scores[passage])[:LIMIT]


def by_ranks(*methods: Mapping[int, float]) -> Mapping[int, float]:
    fused: Counter[int] = Counter()
    for scores in methods:
        for place, passage in enumerate(sorted(scores, key=lambda each: -scores[each])):
            fused[passage] += 1 / (RANKS_K + place)  # type: ignore[assignment]
    return fused


def owners(db: sa.Connection, found: Sequence[int]) -> list[str]:
    asked = sa.select(documents.c.key).join(passages).where(passages.c.id.in_(found))
    return list(db.execute(asked).scalars())


Hits = Mapping[str, Mapping[str, list[bool]]]  # by method, by direction


@asynccontextmanager
async def labelled(
    url: str, embedder: LocalEmbedder
) -> AsyncGenerator[tuple[Methods, dict[str, Language | None]], None]:
    """The labelled documents in a store, and their languages."""
    glossary, database = Glossary.load(GLOSSARY), Database(url)
    store = FactStore(database, embedder, glossary)
    await store.create_tables()
    kept = list(labelled_documents())
    await store.replace("labelled", "labelled", kept, {})
    yield Methods(database, embedder, store, glossary), {each.key: each.document.language for each in kept}
    await store.remove("labelled")
    await database.close()


async def hits_of(
    methods: Methods, questions: Sequence[Question], missed: Callable[[Question], None] = lambda question: None
) -> Hits:
    hits: dict[str, dict[str, list[bool]]] = {method: defaultdict(list) for method in METHODS}
    for question in questions:
        for method, keys in (await methods.found(question)).items():
            hits[method][question.direction].append(question.answer in keys)
            if method == "hybrid" and question.answer not in keys:
                missed(question)
    return hits


async def recall(console: Console, url: str, *, misses: bool) -> None:
    def missed(question: Question) -> None:
        if misses:
            console.print(f"  missed {question.direction} {question.answer}: {question.text}", highlight=False)

    async with labelled(url, LocalEmbedder()) as (methods, languages):
        for name in ("questions", "held-out"):
            questions = labelled_questions(name, languages)
            hits = await hits_of(methods, questions, missed)
            console.print(recall_table(f"{name}: {len(questions)} questions on {len(languages)} documents", hits))


def recall_table(title: str, hits: Hits) -> Table:
    table = Table("recall@5", *DIRECTIONS, "one language", "across", title=title)
    for method, by in hits.items():
        one = by["en→en"] + by["fr→fr"]
        across = by["fr→en"] + by["en→fr"]
        table.add_row(
            method, *(f"{statistics.mean(each):.3f}" for each in (*map(by.__getitem__, DIRECTIONS), one, across))
        )
    return table


# ---------------------------------------------------------------- speed


class Author:
    """Writes passages of no meaning whose words are as frequent as people's."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._common = [
            word for each in labelled_documents() for passage in each.document.passages for word in passage.text.split()
        ]

    def passage(self) -> Passage:
        return Passage(" ".join(self._word() for _ in range(self._random.randint(*PASSAGE_WORDS))))

    def _word(self) -> str:
        if self._random.random() >= RARE_SHARE:
            return self._random.choice(self._common)
        number = min(int(self._random.paretovariate(0.6)), RARE_WORDS)
        return "".join(chr(97 + (number * 7919 // 26**place) % 26) for place in range(6))

    def document(self, number: int) -> Document:
        texts = tuple(self.passage() for _ in range(PASSAGES_PER_DOCUMENT))
        return Document(f"Directive {number}", texts, "text", "en" if number % 2 else "fr")


def made_up(count: int) -> tuple[Origin, float]:
    """And its passages' mean length in characters."""
    author = Author(count)
    written = [author.document(number) for number in range(count // PASSAGES_PER_DOCUMENT)]
    length = statistics.mean(len(passage.text) for each in written for passage in each.passages)
    return Origin("made-up", [entry(number, each) for number, each in enumerate(written)]), length


def entry(number: int, document: Document) -> Entry:
    async def read() -> Document:
        return document

    async def opened() -> Content:
        return Content("1", WHEN, read)

    return Entry(str(number), opened)


async def speed(console: Console, url: str, sizes: Sequence[int]) -> None:
    columns = ("passages", "characters", "added/s", "per CPU s", "first search s", "p50 ms", "p95 ms", "CPU ms")
    table = Table(*columns, title="Speed")
    for size in sizes:
        table.add_row(*await speed_of(url, size))
    console.print(table)
    console.print(f"load average while measuring: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


async def speed_of(url: str, size: int) -> tuple[str, ...]:
    """A row of the table."""
    embedder, database = LocalEmbedder(), Database(url)
    store = FactStore(database, embedder, Glossary.load(GLOSSARY))
    await store.create_tables()
    await embedder.embed(["loaded before the clock starts"])
    origin, length = made_up(size)
    adding = Clock()
    await sync(store, "made-up", origin)
    adding.stop()
    questions = [each.text for name in ("questions", "held-out") for each in labelled_questions(name, defaultdict(str))]
    first = Clock()
    await store.search(["made-up"], questions[0])
    first.stop()
    times = []
    for question in random.Random(1).choices(questions, k=SEARCHES):
        clock = Clock()
        await store.search(["made-up"], question, LIMIT)
        times.append(clock.stop())
    await store.remove("made-up")
    await embedder.close()
    await database.close()
    wall = sorted(1000 * each.wall_s for each in times)
    cpu_ms = 1000 * statistics.mean(each.cpu_s for each in times)
    rates = (f"{size / adding.wall_s:.0f}", f"{size / adding.cpu_s:.0f}", f"{first.wall_s:.2f}")
    search = (f"{wall[len(wall) // 2]:.1f}", f"{wall[int(len(wall) * 0.95)]:.1f}", f"{cpu_ms:.1f}")
    return (f"{size:,}", f"{length:.0f}", *rates, *search)


class Clock:
    """What something takes, by the wall's clock and by the process's."""

    def __init__(self) -> None:
        self._began = (time.perf_counter(), time.process_time())
        self.wall_s = self.cpu_s = 0.0

    def stop(self) -> Clock:
        self.wall_s = time.perf_counter() - self._began[0]
        self.cpu_s = time.process_time() - self._began[1]
        return self


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--passages", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--database", help="a URL; SQLite in a temporary folder if not given")
    parser.add_argument("--misses", action="store_true", help="name the questions whose document was not found")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{folder}/facts.db"
        asyncio.run(recall(console, url, misses=options.misses))
        if options.passages:
            asyncio.run(speed(console, url, options.passages))


if __name__ == "__main__":
    main()
