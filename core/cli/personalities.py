"""`csps-llm personalities validate | list`."""

from __future__ import annotations

import os

import typer
from rich.console import Console
from rich.table import Table as RichTable

from core import settings
from core.cli.words import Table, Words, language_of
from core.personalities import Personalities

WORDS: Table = {
    "valid": ("{count} personalities are valid: {names}", "{count} personnalités sont valides : {names}"),
    "name": ("Name", "Nom"),
    "language": ("Language", "Langue"),
    "description": ("Description", "Description"),
}

app = typer.Typer(help="The personalities of config/personalities.", no_args_is_help=True)


def loaded() -> Personalities:
    """Raises ConfigError that lists every problem of every file."""
    personalities = Personalities(settings.load(os.environ).config / "personalities")
    personalities.load()
    return personalities


@app.command()
def validate() -> None:
    """Check every file; each problem is shown with its file and line."""
    names = loaded().names()
    words = Words(WORDS, language_of(os.environ))
    typer.echo(words("valid", count=len(names), names=", ".join(names)))


@app.command("list")
def show() -> None:
    """Names, languages and what each is for."""
    personalities = loaded()
    words = Words(WORDS, language_of(os.environ))
    table = RichTable(words("name"), words("language"), words("description"))
    for name in personalities.names():
        one = personalities.get(name)
        table.add_row(name, one.language, one.description.fr if words.language == "fr" else one.description.en)
    Console().print(table)
