"""`csps-llm facts add | search | list | remove | export`: the collections in which personalities look up answers.

Exit status 0: done. 3: some documents could not be read. 2: a setting or file must be corrected. 1: refused or
interrupted; the same command then continues from there.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from core import bootstrap
from core.cli.localization import locale_language
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import FetchFailed, NotFound
from core.rag.facts.document_rows import StoredDocument
from core.rag.facts.glossary import Glossary
from core.rag.facts.origins import Origins
from core.rag.facts.search import FactMatch
from core.rag.facts.store import FactStore
from core.rag.facts.sync import Origin, SyncCounts, refuse_emptied_origin, require_collection_name, sync
from core.rag.reading.reader import Reader
from core.runtime import log
from core.storage.database import Database
from core.texts import format_date, format_number, text

SOME_FAILED = 3
FAILURES_LIMIT = 20  # that are printed
PASSAGE_LIMIT_CHARS = 400  # that are printed of a passage
READ_CPU_LIMIT_S = 60.0  # a person waits for a long document that they add
READ_LIMIT_CHARS = 20_000_000

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class FactsSession:
    """The store and the readers that a command works with."""

    store: FactStore
    origins: Origins
    console: Console  # stderr, so that stdout holds only results

    @property
    def language(self) -> Language:
        return locale_language(os.environ)

    def print(self, key: str, **values: object) -> None:
        self.print_line(text(key, self.language, **values))

    def print_line(self, line: str) -> None:
        self.console.print(log.escape_control(line), highlight=False, markup=False, soft_wrap=True)


def run(work: Callable[[FactsSession], Coroutine[Any, Any, Result]]) -> Result:
    """Opens a session and runs `work` with it. Raises CspsError."""

    async def open_and_run() -> Result:
        async with open_session(settings_module.load(os.environ)) as session:
            return await work(session)

    return asyncio.run(open_and_run())


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncGenerator[FactsSession, None]:
    log.configure(settings.log.model_copy(update={"level": "warning"}), "facts")
    embedder = bootstrap.build_own_embedder(settings)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(embedder.close)
        database = Database(settings.database_url)
        closing.push_async_callback(database.close)
        store = FactStore(database, embedder, Glossary.load(settings.config_file("glossary.toml")))
        await database.upgrade()
        await store.detect_vector_backend()
        fetcher = bootstrap.build_fetcher(settings)
        closing.push_async_callback(fetcher.close)
        reader = Reader(cpu_limit_s=READ_CPU_LIMIT_S, text_limit_chars=READ_LIMIT_CHARS)
        closing.push_async_callback(reader.close)
        yield FactsSession(store, Origins(fetcher, reader), Console(stderr=True))


def add(name: str, places: list[str]) -> int:
    """Adds files, folders or URLs to a collection. Returns the exit status. Raises CspsError."""
    require_collection_name(name)
    return run(lambda session: add_all(session, name, places))


async def add_all(session: FactsSession, name: str, places: list[str]) -> int:
    failed = 0
    for place in places:
        counts = await add_one(session, name, place)
        print_counts(session, place, counts)
        failed += len(counts.failed)
    return SOME_FAILED if failed else 0


async def add_one(session: FactsSession, name: str, place: str) -> SyncCounts:
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[passages]}"),
        TimeRemainingColumn(),
        console=session.console,
        transient=True,
        disable=not session.console.is_terminal,
    )
    with progress:
        searching = text("cli-facts-searching", session.language, place=place)
        task = progress.add_task(searching, total=None, passages="")
        origin = await find_origin(session, name, place)

        def show(counts: SyncCounts) -> None:
            documents = text("cli-facts-documents", session.language)
            passages = text("cli-facts-passages", session.language, count=counts.passages)
            progress.update(task, description=documents, completed=counts.done, total=counts.total, passages=passages)

        return await sync(session.store, name, origin, show)


async def find_origin(session: FactsSession, name: str, place: str) -> Origin:
    """Raises ParameterRefused, with the command to remove them, if the place is gone but its documents are stored."""
    try:
        return await session.origins.find(place)
    except (NotFound, FetchFailed) as exc:
        if not isinstance(exc, FetchFailed) or exc.reason == "missing":
            await refuse_emptied_origin(session.store, name, Origin(document_key(place), ()))
        raise


def print_counts(session: FactsSession, place: str, counts: SyncCounts) -> None:
    numbers = {key: getattr(counts, key) for key in ("added", "changed", "unchanged", "removed", "passages")}
    session.print("cli-facts-synced", place=place, **numbers)
    if counts.failed:
        session.print("cli-facts-failed", count=len(counts.failed))
    for key, problem in list(counts.failed.items())[:FAILURES_LIMIT]:
        session.print_line(f"  {key}: {problem}")
    if len(counts.failed) > FAILURES_LIMIT:
        session.print("cli-facts-failed-more", count=len(counts.failed) - FAILURES_LIMIT)


async def search(session: FactsSession, name: str, question: str, limit: int) -> None:
    matches = await session.store.search([name], question, limit, session.language)
    if not matches:
        session.print("cli-facts-nothing-found")
    for number, match in enumerate(matches, 1):
        typer.echo(format_match(number, match, session.language) + "\n")


def format_match(number: int, match: FactMatch, language: Language) -> str:
    title = " › ".join(part for part in (match.title, match.heading) if part)
    passage = " ".join(match.text.split())
    if len(passage) > PASSAGE_LIMIT_CHARS:
        passage = passage[:PASSAGE_LIMIT_CHARS].rstrip() + "…"
    day, score = format_date(match.fetched_at.date(), language), format_number(match.score, language, 2)
    source = f"{match.url or match.key} ({match.language or '?'}, {day}, {score})"
    return f"{number}. {log.escape_control(title)}\n   {log.escape_control(source)}\n   {log.escape_control(passage)}"


async def show(session: FactsSession) -> None:
    sizes = await session.store.collections()
    if not sizes:
        session.print("cli-facts-no-collections")
        return
    columns = ("name", "documents", "passages", "origins")
    table = Table(*(text(f"cli-facts-column-{column}", session.language) for column in columns))
    for each in sizes:
        numbers = [format_number(number, session.language) for number in (each.documents, each.passages)]
        table.add_row(each.name, *numbers, "\n".join(map(log.escape_control, each.origins)))
    Console().print(table)


async def remove(session: FactsSession, name: str, document: str | None) -> None:
    count = await session.store.remove(name, document and document_key(document))
    key = "cli-facts-removed-collection" if document is None else "cli-facts-removed-documents"
    session.print(key, name=name, count=count)


def document_key(document: str) -> str:
    """The key of a document in the store: its absolute path or its URL."""
    return document if document.startswith(("http://", "https://")) else str(Path(document).expanduser().resolve())


async def export(session: FactsSession, name: str) -> None:
    async for document in session.store.export(name):
        typer.echo(format_document(document))


def format_document(document: StoredDocument) -> str:
    """One line of JSON. It leaves out empty values of passages."""
    passages = [
        {key: value for key, value in asdict(each).items() if value not in (None, "")} for each in document.passages
    ]
    fields = {**asdict(document), "fetched_at": document.fetched_at.isoformat(), "passages": passages}
    return json.dumps(fields, ensure_ascii=False)
