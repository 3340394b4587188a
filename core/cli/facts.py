"""`csps-llm facts add | sync | search | list | remove | export`: the collections in which answers are looked up.

Exit status 0: done. 3: some documents could not be read. 2: a setting or file must be corrected. 1: refused or
interrupted; the same command then continues from there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
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
from core.rag.facts.collections import FILE, ConfiguredCollection, FactCollections
from core.rag.facts.connectors.protocol import Origin
from core.rag.facts.document_rows import ADDED, StoredDocument
from core.rag.facts.origins import Origins
from core.rag.facts.refresh import CollectionRefresher
from core.rag.facts.refresh_ledger import RefreshLedger
from core.rag.facts.search import FactMatch
from core.rag.facts.status import CollectionStatus, list_collections
from core.rag.facts.store import FactStore
from core.rag.facts.sync import SyncCounts, refuse_emptied_origin, require_collection_name, sync
from core.runtime import log
from core.texts import format_date, format_number, text

SOME_FAILED = 3
FAILURES_LIMIT = 20  # that are printed
COLUMNS = ("name", "documents", "passages", "origins")
SCHEDULE_COLUMNS = ("refresh", "success", "next", "problem")  # shown if config/facts.toml has a collection
PASSAGE_LIMIT_CHARS = 400  # that are printed of a passage

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class FactsSession:
    """The store and the readers that a command works with."""

    store: FactStore
    origins: Origins
    refresher: CollectionRefresher
    ledger: RefreshLedger
    collections: FactCollections
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
    log.configure(settings.log.model_copy(update={"level": "error"}), "facts")
    collections = FactCollections(settings.config_file(FILE))
    collections.load()
    async with bootstrap.open_facts_writer(settings, collections) as writer:
        yield FactsSession(
            writer.store, writer.origins, writer.refresher, writer.ledger, collections, Console(stderr=True)
        )


def add(name: str, places: list[str]) -> int:
    """Adds files, folders or URLs to a collection. Returns the exit status. Raises CspsError."""
    require_collection_name(name)
    return run(lambda session: add_all(session, name, places))


async def add_all(session: FactsSession, name: str, places: list[str]) -> int:
    failed = 0
    await session.store.embed_again(name)
    for place in places:
        counts = await add_one(session, name, place)
        print_counts(session, place, counts)
        failed += len(counts.failed)
    return SOME_FAILED if failed else 0


async def add_one(session: FactsSession, name: str, place: str) -> SyncCounts:
    with build_progress(session) as progress:
        searching = text("cli-facts-searching", session.language, place=place)
        task = progress.add_task(searching, total=None, passages="")
        origin = await find_origin(session, name, place)

        def show(counts: SyncCounts) -> None:
            documents = text("cli-facts-documents", session.language)
            passages = text("cli-facts-passages", session.language, count=counts.passages)
            progress.update(task, description=documents, completed=counts.done, total=counts.total, passages=passages)

        return await sync(session.store, name, origin, show)


def build_progress(session: FactsSession) -> Progress:
    return Progress(
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
    print_failures(session, counts.failed)


def print_failures(session: FactsSession, failed: Mapping[str, str]) -> None:
    if failed:
        session.print("cli-facts-failed", count=len(failed))
    for key, problem in list(failed.items())[:FAILURES_LIMIT]:
        session.print_line(f"  {key}: {problem}")
    if len(failed) > FAILURES_LIMIT:
        session.print("cli-facts-failed-more", count=len(failed) - FAILURES_LIMIT)


async def synchronise(session: FactsSession, name: str | None, *, only_due: bool) -> int:
    """Synchronises the collections of config/facts.toml, or one. Returns the exit status. Raises NotFound."""
    chosen = [session.collections.get(name)] if name else list(session.collections.by_name.values())
    if not chosen:
        session.print("cli-facts-none-configured", file=str(session.collections.file))
    statuses = [await synchronise_one(session, each, only_due=only_due) for each in chosen]
    return max(statuses, default=0)


async def synchronise_one(session: FactsSession, collection: ConfiguredCollection, *, only_due: bool) -> int:
    result = await session.refresher.refresh(collection, only_due=only_due)
    if result is None:
        if not only_due:
            session.print("cli-facts-busy", name=collection.name)
        return 0
    for origin, counts in result.counts.items():
        print_counts(session, f"{collection.name}/{origin}", counts)
    if result.dropped:
        session.print("cli-facts-removed-documents", name=collection.name, count=result.dropped)
    for origin, problem in result.problems.items():
        session.print("cli-facts-origin-failed", name=collection.name, origin=origin, problem=problem)
    return SOME_FAILED if result.problems or result.unread else 0


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


async def show(session: FactsSession, *, as_json: bool) -> None:
    overview = await list_collections(session.store, session.ledger, session.collections)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in overview], ensure_ascii=False, indent=1))
        return
    if not overview:
        session.print("cli-facts-no-collections")
        return
    has_schedule = any(each.title for each in overview)
    columns = COLUMNS + SCHEDULE_COLUMNS if has_schedule else COLUMNS
    table = Table(*(text(f"cli-facts-column-{column}", session.language) for column in columns))
    for each in overview:
        table.add_row(*status_cells(each, session.language)[: len(columns)])
    # A file or pipe has no width to cut texts to.
    (Console() if sys.stdout.isatty() else Console(width=200)).print(table)


def status_cells(status: CollectionStatus, language: Language) -> list[str]:
    """One row of the table, each origin on a line."""
    numbers = [format_number(number, language) for number in (status.documents, status.passages)]
    times = [show_time(status.succeeded_at), show_time(status.next_at)]
    if status.is_running:
        times[1] = text("cli-facts-running", language)
    origins = "\n".join(map(log.escape_control, status.origins))
    refresh = text(f"cli-facts-refresh-{status.refresh}", language)
    return [status.name, *numbers, origins, refresh, *times, log.escape_control(status.problem or "")]


def show_time(at: float | None) -> str:
    """A short form that both languages have (CAN/CSA-Z234.4), in local time."""
    return "" if at is None else f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"


async def remove(session: FactsSession, name: str, document: str | None) -> None:
    count = await session.store.remove(name, document and document_key(document))
    key = "cli-facts-removed-collection" if document is None else "cli-facts-removed-documents"
    session.print(key, name=name, count=count)


def document_key(document: str) -> str:
    """The key of a document in the store: its absolute path, its URL, or that of a document that a person added."""
    is_key = document.startswith(("http://", "https://", ADDED))
    return document if is_key else str(Path(document).expanduser().resolve())


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
