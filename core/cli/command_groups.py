"""Groups of subcommands and their commands, with help texts that are keys of the catalogue."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import typer

from core.cli.localization import LocalizedCommand, LocalizedGroup, locale_language
from core.texts import text

Function = TypeVar("Function", bound=Callable[..., None])


def build_group(help_key: str) -> typer.Typer:
    return typer.Typer(
        cls=LocalizedGroup,
        help=help_key,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )


def command(
    group: typer.Typer, name: str, help_key: str, *, takes_dashes: bool = False
) -> Callable[[Function], Function]:
    """`takes_dashes`: an argument may begin with "-", as random ids do."""
    settings = {"ignore_unknown_options": True} if takes_dashes else None
    return group.command(name, cls=LocalizedCommand, help=help_key, context_settings=settings)


def bad_parameter(key: str) -> typer.BadParameter:
    return typer.BadParameter(text(key, locale_language(os.environ)))
