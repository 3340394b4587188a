"""The language of the terminal, and the help of commands in that language.

`commands` declares help by keys of texts. `LocalizedGroup.main` puts the texts in their place when a command line runs,
so that the locale and the operator's texts of that moment count. Typer has its own fixed words in English only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from core.contract import Language
from core.language import parse_language_tag
from core.texts import text


def locale_language(environ: Mapping[str, str]) -> Language:
    """The locale's language, by the variables' order in POSIX; English for other languages."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return parse_language_tag(locale) or "en"


class LocalizedCommand(TyperCommand):
    """A command whose usage line and `--help` are in the language of the terminal."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        write_usage(self, ctx, formatter)

    def get_help_option(self, ctx: Any) -> Any:
        return localize_help_option(super().get_help_option(ctx))


class LocalizedGroup(TyperGroup):
    """A group of commands. As the root of a command line, it localizes all its commands first."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        language = locale_language(os.environ)
        localize_command(self, language)
        localize_typer(language)
        return super().main(*args, **kwargs)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        write_usage(self, ctx, formatter)

    def get_help_option(self, ctx: Any) -> Any:
        return localize_help_option(super().get_help_option(ctx))


def write_usage(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    prefix = text("cli-typer-usage", locale_language(os.environ)) + " "
    formatter.write_usage(ctx.command_path, " ".join(command.collect_usage_pieces(ctx)), prefix)


def localize_help_option(option: Any) -> Any:
    if option is not None:
        option.help = text("cli-typer-help", locale_language(os.environ))
    return option


def localize_command(command: Any, language: Language) -> None:
    """Replaces the keys of a command, its parameters and its subcommands by texts. Raises KeyError."""
    command.help = text(command.help, language)
    command.options_metavar = text("cli-typer-options-metavar", language)
    for param in command.params:
        param.help = text(param.help, language)
        if isinstance(param, TyperArgument):
            param.metavar = text(f"cli-argument-{param.name}", language)
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = text("cli-typer-command-metavar", language)
        for subcommand in command.commands.values():
            localize_command(subcommand, language)


def localize_typer(language: Language) -> None:
    """Replaces the fixed strings of typer's help pages and error panels. Typer's messages of errors stay English."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = text("cli-typer-arguments", language)
    rich_utils.OPTIONS_PANEL_TITLE = text("cli-typer-options", language)
    rich_utils.COMMANDS_PANEL_TITLE = text("cli-typer-commands", language)
    rich_utils.ERRORS_PANEL_TITLE = text("cli-typer-error", language)
    rich_utils.ABORTED_TEXT = text("cli-typer-aborted", language)
    rich_utils.REQUIRED_LONG_STRING = text("cli-typer-required", language)
    rich_utils.DEFAULT_STRING = text("cli-typer-default", language, value="{}")
    rich_utils.RICH_HELP = text("cli-typer-hint", language, command="{command_path} {help_option}")
