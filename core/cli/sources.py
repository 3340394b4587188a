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
from rich.table import Table as RichTable

from core.bootstrap import build_fetcher
from core.cli.words import Table, Words, language_of
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import LANGUAGES
from core.errors import ConfigError, CspsError
from core.rag.documents import Document
from core.rag.reading.reader import Reader
from core.rag.sources.catalogue import PublicSource, Sources, load_catalogue
from core.rag.sources.finder import SourceFinder, SourceTarget, build_targets
from core.runtime import log

WORDS: Table = {
    "name": ("Name", "Nom"),
    "kind": ("Kind", "Sorte"),
    "title": ("Title", "Titre"),
    "read_by": ("Read by", "Lue par"),
    "language": ("Language", "Langue"),
    "entries": ("Entries", "Entrées"),
    "newest": ("Newest", "Plus récente"),
    "found": ("First entry, or what is wrong", "Première entrée, ou le problème"),
    "unknown": (
        "{personality} names a source that is not there: {name}",
        "{personality} nomme une source qui n’existe pas : {name}",
    ),
    "asking": ("Asking the sites", "Les sites sont consultés"),
    "good": ("All {count} addresses answer.", "Les {count} adresses répondent."),
    "bad": ("{bad} of {count} addresses do not answer as they should.", "{bad} adresses sur {count} ne répondent pas."),
    "added": (
        "{name} is in {file}. Give it topics and examples there, and name it in the personalities that may read it.",
        "{name} est dans {file}. Donnez-lui des sujets et des exemples, et nommez-la dans les personnalités.",
    ),
}
AT_ONCE = 4
SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Trial:
    """What an address answered: `problem`, or its entries."""

    target: SourceTarget
    entries: int = 0
    newest: datetime | None = None
    first: str = ""
    problem: str = ""


def show() -> None:
    """Names, kinds, titles, and which personalities read them."""
    current = settings.load(os.environ)
    sources = loaded(current)
    personalities = Personalities(current.config_file("personalities"))
    personalities.load()
    words = Words(WORDS, language_of(os.environ))
    readers = {name: personalities.get(name).sources for name in personalities.names()}
    table = RichTable(*map(words, ("name", "kind", "title", "read_by")))
    for source in sources.catalogue.sources.values():
        reading = [name for name, named in readers.items() if source.name in named]
        table.add_row(source.name, source.section.kind, source.title(words.language), ", ".join(reading))
    Console().print(table)
    for personality, named in readers.items():
        for name in sorted(set(named) - set(sources.catalogue.sources)):
            typer.echo(words("unknown", personality=personality, name=name), err=True)


def try_out(names: Sequence[str], question: str) -> int:
    """Fetch every address in both languages, past the cache, and show what came. `names`: which; none: all.

    The exit status: 1 if not all answered.
    """
    current = quietly(settings.load(os.environ))
    sources = loaded(current)
    chosen = [sources.get(name) for name in names or sources.catalogue.sources]
    words = Words(WORDS, language_of(os.environ))
    trials = asyncio.run(tried(current, sources, chosen, question, words))
    table = RichTable(*map(words, ("name", "language", "entries", "newest", "found")))
    for trial in trials:
        newest = f"{trial.newest:%Y-%m-%d %H:%M}" if trial.newest else ""
        found = trial.problem or trial.first[:SHOWN_CHARS]
        table.add_row(trial.target.source.name, trial.target.language, str(trial.entries), newest, found)
    Console().print(table)
    bad = sum(bool(trial.problem) for trial in trials)
    typer.echo(words("bad" if bad else "good", count=len(trials), bad=bad))
    return int(bool(bad))


def add(
    name: str, url: str, url_fr: str | None, title_en: str | None, title_fr: str | None, topics: Sequence[str]
) -> None:
    """Look at a page or feed, and write an entry for it into sources.toml. What is None is what it calls itself."""
    current = quietly(settings.load(os.environ))
    file = loaded(current).file
    document = asyncio.run(opened(current, url))
    english = title_en or document.title or name
    titles = {"en": english, "fr": title_fr or document.title or english}
    urls = {"en": url, "fr": url_fr} if url_fr else {"en": url}
    append(
        file,
        name,
        entry(name, "feed" if document.kind == "feed" else "page", titles, urls, topics),
        current.rag.allow,
    )
    typer.echo(Words(WORDS, language_of(os.environ))("added", name=name, file=file))


def quietly(current: Settings) -> Settings:
    """What people read is said here, and not in the log."""
    log.configure(current.log.model_copy(update={"level": "warning"}), "sources")
    return current


def loaded(current: Settings) -> Sources:
    """Raises ConfigError that lists every problem of the file."""
    sources = Sources(current.config_file("sources.toml"), current.rag.allow)
    sources.load()
    return sources


async def tried(
    current: Settings, sources: Sources, chosen: Sequence[PublicSource], question: str, words: Words
) -> list[Trial]:
    turn = asyncio.Semaphore(AT_ONCE)
    reader = Reader()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True)
    async with build_fetcher(current) as fetcher:
        finder = SourceFinder(sources, fetcher, reader)
        wanted = [
            target
            for source in chosen
            for language in LANGUAGES
            for target in build_targets(at_once(source), question, language, finder.query(question, source))
        ]
        try:
            with shown:
                asked = shown.add_task(words("asking"), total=len(wanted))
                told = partial(shown.advance, asked)
                return list(await asyncio.gather(*(trial(finder, target, turn, told) for target in wanted)))
        finally:
            await reader.close()


async def trial(
    finder: SourceFinder, target: SourceTarget, turn: asyncio.Semaphore, ended: Callable[[], None]
) -> Trial:
    try:
        async with turn:
            reading = await finder.open(target)
    except CspsError as exc:
        return Trial(target, problem=exc.message)
    finally:
        ended()
    dates = [passage.published_at for passage in reading.passages if passage.published_at]
    first = reading.passages[0]
    return Trial(target, len(reading.passages), max(dates, default=None), first.heading or first.text)


def at_once(source: PublicSource) -> PublicSource:
    """Never from the cache."""
    return dataclasses.replace(source, section=source.section.model_copy(update={"fresh_s": 0.0}))


async def opened(current: Settings, url: str) -> Document:
    """Raises FetchRefused, FetchFailed, UnreadableDocument."""
    reader = Reader()
    async with build_fetcher(current) as fetcher:
        try:
            fetched = await fetcher.fetch(url)
            return await reader.read(
                fetched.body, fetched.media_type, name=fetched.url, url=fetched.url, charset=fetched.charset
            )
        finally:
            await reader.close()


def entry(name: str, kind: str, titles: dict[str, str], urls: dict[str, str], topics: Sequence[str]) -> str:
    """TOML. Its strings are written as JSON's are."""
    lines = [f"[{name}]", f'kind = "{kind}"', f"title = {inline(titles)}", f"description = {inline(titles)}"]
    lines.append(f"url = {inline(urls)}")
    if topics:
        lines.append(f"topics = {{ en = {quoted(list(topics))}, fr = {quoted(list(topics))} }}")
    return "\n".join(lines) + "\n"


def inline(texts: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {quoted(text)}" for key, text in texts.items()) + " }"


def quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "")


def append(file: Path, name: str, text: str, allow: Sequence[str] = ()) -> None:
    """All or nothing: a file that would be bad is not put in place. Raises ConfigError."""
    before = file.read_text(encoding="utf-8")
    if name in load_catalogue(file, allow).sources:
        raise ConfigError(f"{file}: there is a source named {name!r} already")
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(f"{before.rstrip()}\n\n{text}", encoding="utf-8")
    try:
        load_catalogue(draft, allow)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
