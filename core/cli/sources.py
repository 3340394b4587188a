"""`csps-llm sources list | test | add`."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from core.bootstrap import build_fetcher
from core.cli.localization import locale_language
from core.configuration import settings as settings_module
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import LANGUAGES, Language
from core.errors import ConfigError, CspsError
from core.rag.documents import Document
from core.rag.reading.reader import Reader
from core.rag.sources.catalogue import PublicSource, Sources, load_catalogue
from core.rag.sources.finder import SourceFinder, SourceTarget, build_targets, names_of
from core.rag.sources.name_table import NamedItem
from core.runtime import log
from core.runtime.atomic_files import PART_SUFFIX
from core.texts import text

CONCURRENCY = 4
ENTRY_LIMIT_CHARS = 60  # that are printed of an entry


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The answer of an address: its entries, or a problem."""

    target: SourceTarget
    entries: int = 0
    newest: datetime | None = None
    first: str = ""
    problem: str = ""


def show() -> None:
    """Prints the name, kind, title and personalities of each source."""
    settings, language = settings_module.load(os.environ), locale_language(os.environ)
    sources = load_sources(settings)
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    used = {name: personalities.get(name).sources for name in personalities.names()}
    table = build_table(("name", "kind", "title", "personalities"), language)
    for source in sources.catalogue.sources.values():
        users = [name for name, names in used.items() if source.name in names]
        table.add_row(source.name, source.section.kind, source.title(language), ", ".join(users))
    Console().print(table)
    for personality, names in used.items():
        for name in sorted(set(names) - set(sources.catalogue.sources)):
            typer.echo(text("cli-sources-unknown", language, personality=personality, name=name), err=True)


def build_table(columns: Sequence[str], language: Language) -> Table:
    return Table(*(text(f"cli-sources-column-{column}", language) for column in columns))


def probe(names: Sequence[str], question: str) -> int:
    """Fetches every address of the sources in both languages, past the cache, and prints the results.

    No `names` means all sources. Returns the exit status: 1 if an address failed.
    """
    settings, language = load_quiet_settings(), locale_language(os.environ)
    sources = load_sources(settings)
    chosen = [sources.get(name) for name in names or sources.catalogue.sources]
    results = asyncio.run(probe_all(settings, sources, chosen, question, language))
    table = build_table(("name", "language", "entries", "newest", "result"), language)
    for result in results:
        newest = f"{result.newest:%Y-%m-%d %H:%M}" if result.newest else ""
        shown = result.problem or result.first[:ENTRY_LIMIT_CHARS]
        table.add_row(result.target.source.name, result.target.language, str(result.entries), newest, shown)
    Console().print(table)
    failed = sum(bool(result.problem) for result in results)
    typer.echo(text("cli-sources-result", language, count=len(results), failed=failed))
    return int(bool(failed))


def add(
    name: str, url: str, url_fr: str | None, title_en: str | None, title_fr: str | None, topics: Sequence[str]
) -> None:
    """Reads a page or feed, and adds a source for it to sources.toml. Its own title replaces titles that are None."""
    settings, language = load_quiet_settings(), locale_language(os.environ)
    file = load_sources(settings).file
    document = asyncio.run(fetch_document(settings, url))
    english = title_en or document.title or name
    titles = {"en": english, "fr": title_fr or document.title or english}
    urls = {"en": url, "fr": url_fr} if url_fr else {"en": url}
    entry = format_entry(name, "feed" if document.kind == "feed" else "page", titles, urls, topics)
    if name in load_catalogue(file, settings.rag.allow).sources:
        raise ConfigError(text("cli-sources-name-taken", language, file=str(file), name=name))
    append_entry(file, entry, settings.rag.allow)
    typer.echo(text("cli-sources-added", language, name=name, file=str(file)))


def load_quiet_settings() -> Settings:
    """Loads the settings, and logs warnings and errors only: the command prints its own messages."""
    settings = settings_module.load(os.environ)
    log.configure(settings.log.model_copy(update={"level": "warning"}), "sources")
    return settings


def load_sources(settings: Settings) -> Sources:
    """Raises ConfigError with every problem of the file."""
    sources = Sources(settings.config_file("sources.toml"), settings.rag.allow)
    sources.load()
    return sources


async def probe_all(
    settings: Settings, sources: Sources, chosen: Sequence[PublicSource], question: str, language: Language
) -> list[ProbeResult]:
    limit = asyncio.Semaphore(CONCURRENCY)
    reader = Reader()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    async with build_fetcher(settings) as fetcher:
        finder = SourceFinder(sources, fetcher, reader)
        targets = [
            target
            for source in chosen
            for each in LANGUAGES
            for target in build_targets(
                without_cache(source), names_in(source, question), each, finder.needs.query(source, [question])
            )
        ]
        try:
            with progress:
                task = progress.add_task(text("cli-sources-probing", language), total=len(targets))
                count = partial(progress.advance, task)
                return list(await asyncio.gather(*(probe_one(finder, each, limit, count) for each in targets)))
        finally:
            await reader.close()


async def probe_one(
    finder: SourceFinder, target: SourceTarget, limit: asyncio.Semaphore, on_end: Callable[[], None]
) -> ProbeResult:
    try:
        async with limit:
            reading = await finder.open(target)
    except CspsError as exc:
        return ProbeResult(target, problem=exc.message)
    finally:
        on_end()
    dates = [passage.published_at for passage in reading.passages if passage.published_at]
    first = reading.passages[0]
    return ProbeResult(target, len(reading.passages), max(dates, default=None), first.heading or first.text)


def names_in(source: PublicSource, question: str) -> list[NamedItem]:
    return [found.item for found in names_of(source, [question]).found]


def without_cache(source: PublicSource) -> PublicSource:
    return dataclasses.replace(source, section=source.section.model_copy(update={"fresh_s": 0.0}))


async def fetch_document(settings: Settings, url: str) -> Document:
    """Raises FetchRefused, FetchFailed, UnreadableDocument."""
    reader = Reader()
    async with build_fetcher(settings) as fetcher:
        try:
            fetched = await fetcher.fetch(url)
            return await reader.read(
                fetched.body, fetched.media_type, name=fetched.url, url=fetched.url, charset=fetched.charset
            )
        finally:
            await reader.close()


def format_entry(name: str, kind: str, titles: dict[str, str], urls: dict[str, str], topics: Sequence[str]) -> str:
    """One section of sources.toml. A JSON string is a valid TOML string, except for U+007F."""
    lines = [
        f"[{name}]",
        f'kind = "{kind}"',
        f"title = {inline_table(titles)}",
        f"description = {inline_table(titles)}",
    ]
    lines.append(f"url = {inline_table(urls)}")
    if topics:
        lines.append(f"topics = {{ en = {quote(list(topics))}, fr = {quote(list(topics))} }}")
    return "\n".join(lines) + "\n"


def inline_table(values: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {quote(value)}" for key, value in values.items()) + " }"


def quote(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "")


def append_entry(file: Path, entry: str, allow: Sequence[str] = ()) -> None:
    """Adds a section to the file, unless the file would become invalid. Raises ConfigError."""
    extended = file.with_name(f".{file.name}{PART_SUFFIX}")
    extended.write_text(f"{file.read_text(encoding='utf-8').rstrip()}\n\n{entry}", encoding="utf-8")
    try:
        load_catalogue(extended, allow)
        extended.replace(file)
    finally:
        extended.unlink(missing_ok=True)
