"""The `csps-llm` command: what each subcommand is called and takes. What it does is in the module of its name.

up              procfile → preflight → supervisor (with guards) → console, announcement
chat            a conversation with the running service
toil            toil_plan (what is checked before), toil_progress; the batch itself is core.batch
doctor          checks and bot_checks (what was found, what to do), on machine and gguf (facts alone)
facts           collections of documents; the store itself is core.rag.facts
sources         the pages, feeds and searches that answers may be looked up in
manifest        what Slack, Teams and Discord want to know of the bot
personalities   validate, list
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from core.cli import chat, doctor, facts, manifest, personalities, sources, toil, up
from core.errors import ConfigError, CspsError

REFUSED = 2

app = typer.Typer(
    help="A chat service: `up` serves, `chat` talks to it, `toil` asks for rows, `doctor` says what is wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(toil.app, name="toil")
app.add_typer(personalities.app, name="personalities")
app.add_typer(facts.app, name="facts")
app.add_typer(sources.app, name="sources")
app.add_typer(manifest.app, name="manifest")


@app.command("up")
def serve() -> None:
    """Serve: run the Procfile's processes, and start again what ends, until Ctrl-C."""
    up.up(os.environ)


@app.command("chat")
def talk(
    personality: Annotated[
        str | None, typer.Option(help="Whom to talk to; by the locale: whisper or chuchotte.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="The running service; by default the one on this machine.")] = None,
) -> None:
    """Talk to the running service. From a pipe: one prompt a line in, one answer each out."""
    raise typer.Exit(chat.chat(os.environ, personality, url))


@app.command("doctor")
def examine(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at the machine, the model and the configuration, and say what to do about each problem."""
    raise typer.Exit(doctor.doctor(os.environ, as_json=as_json))


def main() -> None:
    """The entry point. Exit status 2: it was not even tried, because something has to be put right first."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without "│" must not end anything
    try:
        app()
    except ConfigError as exc:
        typer.echo(exc.message, err=True)
        sys.exit(REFUSED)
    except CspsError as exc:
        typer.echo(exc.message, err=True)
        sys.exit(1)
