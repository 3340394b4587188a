"""What each subcommand of `csps-llm` is called and takes, and nothing of what it does.

Every body imports what it needs and calls it, so that `--help` and light commands do not pay for the heavy ones.
`toil run` has so many options that it is declared in `toil_command`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from core.cli.toil_command import toil_app

app = typer.Typer(
    help="A chat service: `up` serves, `chat` talks to it, `toil` asks for rows, `doctor` says what is wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
personalities_app = typer.Typer(help="The personalities of config/personalities.", no_args_is_help=True)
facts_app = typer.Typer(help="Facts: collections of documents that answers are looked up in.", no_args_is_help=True)
sources_app = typer.Typer(help="The public sources of config/sources.toml.", no_args_is_help=True)
db_app = typer.Typer(help="The revision of the database's tables.", no_args_is_help=True)
manifest_app = typer.Typer(help="What Slack, Teams and Discord want to know of the bot.", no_args_is_help=True)
app.add_typer(toil_app, name="toil")
app.add_typer(personalities_app, name="personalities")
app.add_typer(facts_app, name="facts")
app.add_typer(sources_app, name="sources")
app.add_typer(manifest_app, name="manifest")
app.add_typer(db_app, name="db")


@app.command("up")
def serve() -> None:
    """Serve: run the Procfile's processes, and start again what ends, until Ctrl-C."""
    from core.cli.up import up

    up(os.environ)


@app.command("chat")
def talk(
    personality: Annotated[
        str | None, typer.Option(help="Whom to talk to; by the locale: whisper or chuchotte.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="The running service; by default the one on this machine.")] = None,
) -> None:
    """Talk to the running service. From a pipe: one prompt a line in, one answer each out."""
    from core.cli.chat import chat

    raise typer.Exit(chat(os.environ, personality, url))


@app.command("doctor")
def examine(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at the machine, the model and the configuration, and say what to do about each problem."""
    from core.cli.doctor import doctor

    raise typer.Exit(doctor(os.environ, as_json=as_json))


# ---------------------------------------------------------------- personalities


@personalities_app.command("validate")
def validate_personalities() -> None:
    """Check every file; each problem is shown with its file and line."""
    from core.cli import personalities

    personalities.validate()


@personalities_app.command("list")
def list_personalities() -> None:
    """Names, languages and what each is for."""
    from core.cli import personalities

    personalities.show()


# ---------------------------------------------------------------- facts

Collection = Annotated[str, typer.Argument(help="The collection, as personalities name it.")]


@facts_app.command("add")
def add_facts(
    name: Collection,
    what: Annotated[list[str], typer.Argument(help="Files, folders, CSV files (a fact a row), URLs, sitemaps.")],
) -> None:
    """Read documents into a collection. Given again: what is new or changed is read, what is gone is removed."""
    from core.cli import facts

    raise typer.Exit(facts.add_to(name, what))


@facts_app.command("search")
def search_facts(
    name: Collection,
    question: Annotated[str, typer.Argument(help="As a person would ask it, in English or French.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many passages.")] = 5,
) -> None:
    """Show which passages answer a question, best first."""
    from core.cli import facts

    facts.run(lambda opened: facts.search(opened, name, question, limit))


@facts_app.command("list")
def list_facts() -> None:
    """Show the collections, their sizes and where they are from."""
    from core.cli import facts

    facts.run(facts.show)


@facts_app.command("remove")
def remove_facts(
    name: Collection,
    document: Annotated[
        str | None, typer.Argument(help="A document, or the folder or sitemap that they are from; all if not given.")
    ] = None,
) -> None:
    """Remove a collection, or documents of it."""
    from core.cli import facts

    facts.run(lambda opened: facts.remove(opened, name, document))


@facts_app.command("export")
def export_facts(name: Collection) -> None:
    """Write every document with its passages, one line of JSON each."""
    from core.cli import facts

    facts.run(lambda opened: facts.export(opened, name))


# ---------------------------------------------------------------- sources


@sources_app.command("list")
def list_sources() -> None:
    """Names, kinds, titles, and which personalities read them."""
    from core.cli import sources

    sources.show()


@sources_app.command("test")
def try_sources(
    names: Annotated[list[str] | None, typer.Argument(help="Which; all of them by default.")] = None,
    question: Annotated[str, typer.Option(help="May name a place or a department, or what to search for.")] = "",
) -> None:
    """Fetch every address in both languages, past the cache, and show what came. Exit status 1: not all answered."""
    from core.cli import sources

    raise typer.Exit(sources.try_out(names or (), question))


@sources_app.command("add")
def add_source(
    name: Annotated[str, typer.Argument(help="Of the new source: a-z, 0-9 and -.")],
    url: Annotated[str, typer.Argument(help="A page, or an RSS, Atom or JSON feed.")],
    url_fr: Annotated[str | None, typer.Option(help="The same in French; else URL is read in both languages.")] = None,
    title_en: Annotated[str | None, typer.Option(help="By default what it calls itself.")] = None,
    title_fr: Annotated[str | None, typer.Option(help="By default what it calls itself.")] = None,
    topic: Annotated[list[str] | None, typer.Option(help="A word of its subject; as often as you like.")] = None,
) -> None:
    """Look at a page or feed, and write an entry for it into config/sources.toml."""
    from core.cli import sources

    sources.add(name, url, url_fr, title_en, title_fr, topic or ())


# ---------------------------------------------------------------- db


@db_app.command("status")
def show_schema() -> None:
    """Show the revision of the database's tables, and the revisions that an upgrade would apply."""
    from core.cli import database

    database.status()


@db_app.command("upgrade")
def upgrade_schema(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Rehearse the upgrade, and change nothing.")] = False,
) -> None:
    """Bring the database's tables to the newest revision, as every process does when it starts."""
    from core.cli import database

    database.upgrade(dry_run=dry_run)


# ---------------------------------------------------------------- manifest


def https_only(url: str | None) -> str | None:
    """Platforms take no other address."""
    if url is not None and (urlsplit(url).scheme != "https" or not urlsplit(url).hostname):
        raise typer.BadParameter("it has to be an https address that the platform can reach: https://bot.example.gc.ca")
    return url


def number_only(application: str | None) -> str | None:
    if application is not None and not (application.isascii() and application.isdecimal()):
        raise typer.BadParameter("it is a number: Application ID, at the top of General Information")
    return application


Name = Annotated[str, typer.Option(help="What people call the bot.")]


@manifest_app.command("slack")
def slack_manifest(
    name: Name = "Whisper",
    url: Annotated[
        str | None,
        typer.Option(help="https://…, for events over HTTP; without it, Socket Mode.", callback=https_only),
    ] = None,
) -> None:
    """The app manifest, as JSON: paste it at api.slack.com/apps, Create New App, From a manifest."""
    from core.cli import manifest

    manifest.slack(name, url)


@manifest_app.command("discord")
def discord_manifest(
    application: Annotated[
        str | None, typer.Option(help="The application's id, of the Developer Portal.", callback=number_only)
    ] = None,
) -> None:
    """The link by which somebody adds the bot to a server, and the permissions in it."""
    from core.cli import manifest

    manifest.discord(application)


@manifest_app.command("teams")
def teams_manifest(
    output: Annotated[Path, typer.Option("-o", "--output", help="The app package.")] = Path("csps-llm-teams.zip"),
    name: Name = "Whisper",
    website: Annotated[
        str, typer.Option(help="Who runs it: https://…", callback=https_only)
    ] = "https://www.csps-efpc.gc.ca/",
) -> None:
    """The app package, a zip with manifest and icons. Needs TEAMS_APP_ID."""
    from core.cli import manifest

    manifest.teams(output, name, website)
