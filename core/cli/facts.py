"""`csps-llm facts add | search | list | remove | export`: collections that personalities look things up in.

Exit status 0: done; 3: some documents could not be read; 2: a setting or file has to be changed; 1: refused, or broken
off: the same command then goes on from there.
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
from rich.table import Table as RichTable

from core import bootstrap
from core.cli.facts_words import WORDS
from core.cli.words import Words, language_of
from core.configuration import settings
from core.configuration.settings import Settings
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

SOME_FAILED = 3
SHOWN_FAILURES = 20
SHOWN_CHARS = 400  # of a passage that was found
READ_CPU_LIMIT_S = 60.0  # who adds a long document waits for it
READ_LIMIT_CHARS = 20_000_000

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works with."""

    store: FactStore
    origins: Origins
    words: Words
    console: Console  # for people: stderr, so that stdout is the answer alone


def run(work: Callable[[Opened], Coroutine[Any, Any, Result]]) -> Result:
    """Raises CspsError."""

    async def opened_and_run() -> Result:
        async with opening(settings.load(os.environ)) as opened:
            return await work(opened)

    return asyncio.run(opened_and_run())


@asynccontextmanager
async def opening(chosen: Settings) -> AsyncGenerator[Opened, None]:
    log.configure(chosen.log.model_copy(update={"level": "warning"}), "facts")
    embedder = bootstrap.build_own_embedder(chosen)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(embedder.close)
        database = Database(chosen.database_url)
        closing.push_async_callback(database.close)
        store = FactStore(database, embedder, Glossary.load(chosen.config_file("glossary.toml")))
        await database.upgrade()
        await store.detect_vector_backend()
        fetcher = bootstrap.build_fetcher(chosen)
        closing.push_async_callback(fetcher.close)
        reader = Reader(cpu_limit_s=READ_CPU_LIMIT_S, text_limit_chars=READ_LIMIT_CHARS)
        closing.push_async_callback(reader.close)
        words = Words(WORDS, language_of(os.environ))
        yield Opened(store, Origins(fetcher, reader), words, Console(stderr=True))


# ---------------------------------------------------------------- what the commands do


def add_to(name: str, what: list[str]) -> int:
    """The exit status. Raises CspsError."""
    require_collection_name(name)
    return run(lambda opened: add(opened, name, what))


async def add(opened: Opened, name: str, what: list[str]) -> int:
    """The exit status."""
    failed = 0
    for each in what:
        counts = await add_one(opened, name, each)
        say_counts(opened, each, counts)
        failed += len(counts.failed)
    return SOME_FAILED if failed else 0


async def add_one(opened: Opened, name: str, what: str) -> SyncCounts:
    words = opened.words
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[passages]}"),
        TimeRemainingColumn(),
        console=opened.console,
        transient=True,
        disable=not opened.console.is_terminal,
    )
    with shown:
        task = shown.add_task(words("looking", what=what), total=None, passages="")
        origin = await origin_of(opened, name, what)

        def report(counts: SyncCounts) -> None:
            passages = words("passages", count=counts.passages)
            shown.update(
                task, description=words("documents"), completed=counts.done, total=counts.total, passages=passages
            )

        return await sync(opened.store, name, origin, report)


async def origin_of(opened: Opened, name: str, what: str) -> Origin:
    """Raises ParameterRefused, which says how to remove it, for one that is gone and still has documents stored."""
    try:
        return await opened.origins.find(what)
    except (NotFound, FetchFailed) as exc:
        if not isinstance(exc, FetchFailed) or exc.reason == "missing":
            await refuse_emptied_origin(opened.store, name, Origin(key_of(what), ()))
        raise


def say_counts(opened: Opened, what: str, counts: SyncCounts) -> None:
    done = {key: getattr(counts, key) for key in ("added", "changed", "unchanged", "removed", "passages")}
    say(opened.console, opened.words("synced", what=what, **done))
    if counts.failed:
        say(opened.console, opened.words("failed", count=len(counts.failed)))
    for key, problem in list(counts.failed.items())[:SHOWN_FAILURES]:
        say(opened.console, f"  {key}: {problem}")
    if len(counts.failed) > SHOWN_FAILURES:
        say(opened.console, opened.words("more_failed", count=len(counts.failed) - SHOWN_FAILURES))


async def search(opened: Opened, name: str, question: str, limit: int) -> None:
    found = await opened.store.search([name], question, limit, opened.words.language)
    if not found:
        say(opened.console, opened.words("nothing"))
    for number, each in enumerate(found, 1):
        typer.echo(shown(number, each) + "\n")


def shown(number: int, found: FactMatch) -> str:
    place = " › ".join(part for part in (found.title, found.heading) if part)
    text = " ".join(found.text.split())
    short = text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS].rstrip() + "…"
    when = found.fetched_at.date().isoformat()
    source = f"{found.url or found.key} ({found.language or '?'}, {when}, {found.score:.2f})"
    return f"{number}. {log.escape_control(place)}\n   {log.escape_control(source)}\n   {log.escape_control(short)}"


async def show(opened: Opened) -> None:
    sizes = await opened.store.collections()
    words = opened.words
    if not sizes:
        say(opened.console, words("none_yet"))
        return
    table = RichTable(words("name"), words("count_documents"), words("count_passages"), words("origins"))
    for each in sizes:
        table.add_row(
            each.name, str(each.documents), str(each.passages), "\n".join(map(log.escape_control, each.origins))
        )
    Console().print(table)


async def remove(opened: Opened, name: str, document: str | None) -> None:
    gone = await opened.store.remove(name, document and key_of(document))
    said = "removed_all" if document is None else "removed_one"
    say(opened.console, opened.words(said, name=name, count=gone))


def key_of(document: str) -> str:
    """Documents are named by their whole path or by their URL."""
    return document if document.startswith(("http://", "https://")) else str(Path(document).expanduser().resolve())


async def export(opened: Opened, name: str) -> None:
    async for document in opened.store.export(name):
        typer.echo(json_line(document))


def json_line(document: StoredDocument) -> str:
    passages = [
        {key: value for key, value in asdict(each).items() if value not in (None, "")} for each in document.passages
    ]
    told = {**asdict(document), "fetched_at": document.fetched_at.isoformat(), "passages": passages}
    return json.dumps(told, ensure_ascii=False)


def say(console: Console, message: str) -> None:
    console.print(log.escape_control(message), highlight=False, markup=False, soft_wrap=True)
