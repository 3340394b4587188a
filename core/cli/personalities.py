"""`csps-llm personalities validate | list`."""

from __future__ import annotations

import os

import typer
from rich.console import Console
from rich.table import Table as RichTable

from core.cli import facts
from core.cli.sources import loaded as all_sources
from core.cli.words import Table, Words, language_of
from core.configuration import settings
from core.configuration.personalities import Personalities, unknown_collections, unknown_sources
from core.errors import ConfigError

WORDS: Table = {
    "valid": ("{count} personalities are valid: {names}", "{count} personnalités sont valides : {names}"),
    "name": ("Name", "Nom"),
    "language": ("Language", "Langue"),
    "description": ("Description", "Description"),
}


def loaded() -> Personalities:
    """Raises ConfigError that lists every problem of every file."""
    personalities = Personalities(settings.load(os.environ).config_file("personalities"))
    personalities.load()
    return personalities


def validate() -> None:
    """Check every file, and that the sources it names are there; of collections, which may come later, it is told.

    Raises ConfigError that lists every problem.
    """
    personalities = loaded()
    if problems := unknown_sources(personalities, all_sources(settings.load(os.environ)).names()):
        raise ConfigError("\n".join(problems))
    names = personalities.names()
    if any(personalities.get(name).collections for name in names):
        for problem in unknown_collections(personalities, collections()):
            typer.echo(problem, err=True)
    words = Words(WORDS, language_of(os.environ))
    typer.echo(words("valid", count=len(names), names=", ".join(names)))


def collections() -> list[str]:
    """The names of those that are stored."""
    return [size.name for size in facts.run(lambda opened: opened.store.collections())]


def show() -> None:
    """Names, languages and what each is for."""
    personalities = loaded()
    words = Words(WORDS, language_of(os.environ))
    table = RichTable(words("name"), words("language"), words("description"))
    for name in personalities.names():
        one = personalities.get(name)
        table.add_row(name, one.language, one.description.in_language(words.language))
    Console().print(table)
