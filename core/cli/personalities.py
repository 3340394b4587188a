"""`csps-llm personalities validate | list`."""

from __future__ import annotations

import os

import typer
from rich.console import Console
from rich.table import Table

from core.cli import facts
from core.cli.localization import locale_language
from core.cli.sources import load_sources
from core.configuration import settings
from core.configuration.personalities import Personalities, unknown_collections, unknown_models, unknown_sources
from core.errors import ConfigError
from core.model.client import known_models
from core.texts import text


def load_personalities() -> Personalities:
    """Raises ConfigError with every problem of every file."""
    personalities = Personalities(settings.load(os.environ).config_file("personalities"))
    personalities.load()
    return personalities


def validate() -> None:
    """Checks every file, its sources and its model. An unknown collection is a warning: it may be added later.

    Raises ConfigError with every problem.
    """
    personalities, loaded = load_personalities(), settings.load(os.environ)
    problems = unknown_sources(personalities, load_sources(loaded).names())
    models = known_models(loaded, personalities.model_ids())
    if problems := (*problems, *(() if models is None else unknown_models(personalities, models))):
        raise ConfigError("\n".join(problems))
    names = personalities.names()
    if any(personalities.get(name).collections for name in names):
        stored = facts.run(lambda session: session.store.collections())
        for problem in unknown_collections(personalities, [size.name for size in stored]):
            typer.echo(problem, err=True)
    language = locale_language(os.environ)
    typer.echo(text("cli-personalities-valid", language, count=len(names), names=", ".join(names)))


def show() -> None:
    """Prints the name, language and description of each personality."""
    personalities, language = load_personalities(), locale_language(os.environ)
    columns = ("name", "language", "description")
    table = Table(*(text(f"cli-personalities-column-{column}", language) for column in columns))
    for name in personalities.names():
        personality = personalities.get(name)
        table.add_row(name, personality.language, personality.description.in_language(language))
    Console().print(table)
