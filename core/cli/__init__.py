"""The `csps-llm` command. What each subcommand is called and takes is in `commands`, what it does in the module of its
name, which is imported when it is called for.

up              procfile → preflight → supervisor (with guards, output) → console, announcement, engine_watch
chat            with the running service; what is said over its socket is in conversation
toil            toil_command (its options), toil_plan (what is checked before), toil_progress; see core.toil.batch
doctor          checks and bot_checks give a report (what was found, what to do), on machine and gguf (facts alone)
words           English or French; check_words and facts_words are the longer tables
facts           collections of documents; the store itself is core.rag.facts
sources         the pages, feeds and searches that answers may be looked up in
database        db: the revision of the database's tables
manifest        what Slack, Teams and Discord want to know of the bot
personalities   validate, list
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import typer

from core.cli.commands import app
from core.errors import ConfigError, CspsError
from core.texts import overlay

REFUSED = 2


def main() -> None:
    """The entry point. Exit status 2: it was not even tried, because something has to be put right first."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without "│" must not end anything
    try:
        read_own_texts()
        app()
    except ConfigError as exc:
        typer.echo(exc.message, err=True)
        sys.exit(REFUSED)
    except CspsError as exc:
        typer.echo(exc.message, err=True)
        sys.exit(1)


def read_own_texts() -> None:
    """Lays the operator's texts over the shipped ones. Raises ConfigError."""
    if os.environ.get("CSPS_LLM_CONFIG"):  # else there are none, and this import takes 0.2 s
        from core.configuration.settings import config_folder

        overlay(config_folder(os.environ))
