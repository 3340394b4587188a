"""The subcommands of `csps-llm`: names, options and arguments. Help texts are keys, which `localization` replaces.

Each body imports what it runs, so that `--help` and light commands need not import the heavy modules.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from core.cli.localization import LocalizedCommand, LocalizedGroup, locale_language
from core.cli.selftest import StagePlatform
from core.texts import text
from core.toil.batch.rows import RowFormat

Function = TypeVar("Function", bound=Callable[..., None])


def build_group(help_key: str) -> typer.Typer:
    return typer.Typer(
        cls=LocalizedGroup,
        help=help_key,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )


def command(group: typer.Typer, name: str, help_key: str) -> Callable[[Function], Function]:
    return group.command(name, cls=LocalizedCommand, help=help_key)


def bad_parameter(key: str) -> typer.BadParameter:
    return typer.BadParameter(text(key, locale_language(os.environ)))


app = build_group("cli-help-csps_llm")
personalities_app = build_group("cli-help-personalities")
facts_app = build_group("cli-help-facts")
sources_app = build_group("cli-help-sources")
models_app = build_group("cli-help-models")
db_app = build_group("cli-help-db")
manifest_app = build_group("cli-help-manifest")
toil_app = build_group("cli-help-toil")
app.add_typer(toil_app, name="toil")
app.add_typer(personalities_app, name="personalities")
app.add_typer(facts_app, name="facts")
app.add_typer(sources_app, name="sources")
app.add_typer(models_app, name="models")
app.add_typer(manifest_app, name="manifest")
app.add_typer(db_app, name="db")


@command(app, "up", "cli-help-up")
def serve() -> None:
    from core.cli.up import up

    up(os.environ)


@command(app, "chat", "cli-help-chat")
def open_chat(
    personality: Annotated[str | None, typer.Option(help="cli-help-personality")] = None,
    url: Annotated[str | None, typer.Option(help="cli-help-chat-url")] = None,
) -> None:
    from core.cli.chat import chat

    raise typer.Exit(chat(os.environ, personality, url))


@command(app, "explain", "cli-help-explain")
def explain_prompt(
    question: Annotated[str, typer.Argument(help="cli-help-question")],
    personality: Annotated[str | None, typer.Option(help="cli-help-personality")] = None,
    file: Annotated[list[Path] | None, typer.Option(metavar="<path>", help="cli-help-explain-file")] = None,
    url: Annotated[str | None, typer.Option(help="cli-help-explain-url")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="cli-help-explain-json")] = False,
) -> None:
    from core.cli.explain import explain

    explain(question, personality, file or (), url, as_json=as_json)


@command(app, "doctor", "cli-help-doctor")
def run_checks(as_json: Annotated[bool, typer.Option("--json", help="cli-help-json")] = False) -> None:
    from core.cli.doctor import doctor

    raise typer.Exit(doctor(os.environ, as_json=as_json))


@command(app, "selftest", "cli-help-selftest")
def play_selftest(
    platform: Annotated[StagePlatform, typer.Argument(help="cli-help-stage_platform")],
    echo: Annotated[bool, typer.Option("--echo", help="cli-help-echo")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="<path>", help="cli-help-out")] = None,
) -> None:
    from core.cli.selftest import selftest

    raise typer.Exit(selftest(os.environ, platform, out, echo=echo))


# ---------------------------------------------------------------- toil


@command(toil_app, "run", "cli-help-toil-run")
def run_batch(
    output: Annotated[Path, typer.Option("--output", "-o", help="cli-help-output")],
    rows: Annotated[str | None, typer.Argument(help="cli-help-rows")] = None,
    schema: Annotated[Path | None, typer.Option(help="cli-help-schema")] = None,
    prompt_template: Annotated[Path | None, typer.Option(help="cli-help-prompt_template")] = None,
    openai: Annotated[Path | None, typer.Option(help="cli-help-openai")] = None,
    personality: Annotated[str | None, typer.Option(help="cli-help-personality")] = None,
    in_order: Annotated[bool, typer.Option("--in-order/--as-they-come", help="cli-help-in_order")] = True,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=1024, metavar="<int>", help="cli-help-concurrency")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="cli-help-seed")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, metavar="<int>", help="cli-help-max_tokens")] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, max=2, metavar="<float>", help="cli-help-temperature")
    ] = None,
    force_new: Annotated[bool, typer.Option("--force-new", help="cli-help-force_new")] = False,
    file_format: Annotated[RowFormat | None, typer.Option("--format", help="cli-help-format")] = None,
    delimiter: Annotated[str | None, typer.Option(help="cli-help-delimiter")] = None,
    encoding: Annotated[str | None, typer.Option(help="cli-help-encoding")] = None,
) -> None:
    if (rows is None) == (openai is None):
        raise bad_parameter("cli-usage-rows")
    if openai is not None and (schema or prompt_template):
        raise bad_parameter("cli-usage-openai")
    if delimiter is not None and len(delimiter) != 1:
        raise bad_parameter("cli-usage-delimiter")
    from core.cli import toil
    from core.cli.toil_plan import BatchOptions
    from core.contract import Sampling

    options = BatchOptions(
        rows=openai or (None if rows is None or rows == "-" else Path(rows)),
        output=output,
        personality=personality or toil.default_personality(os.environ),
        openai=openai is not None,
        schema=schema,
        template=prompt_template,
        sampling=Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed),
        in_order=in_order,
        concurrency=concurrency,
        force_new=force_new,
        format=file_format,
        delimiter=delimiter,
        encoding=encoding,
    )
    raise typer.Exit(toil.start(options, os.environ))


# ---------------------------------------------------------------- personalities


@command(personalities_app, "validate", "cli-help-personalities-validate")
def validate_personalities() -> None:
    from core.cli import personalities

    personalities.validate()


@command(personalities_app, "list", "cli-help-personalities-list")
def list_personalities() -> None:
    from core.cli import personalities

    personalities.show()


# ---------------------------------------------------------------- facts

Collection = Annotated[str, typer.Argument(help="cli-help-collection")]


@command(facts_app, "add", "cli-help-facts-add")
def add_facts(name: Collection, what: Annotated[list[str], typer.Argument(help="cli-help-documents")]) -> None:
    from core.cli import facts

    raise typer.Exit(facts.add(name, what))


@command(facts_app, "sync", "cli-help-facts-sync")
def synchronise_facts(
    name: Annotated[str | None, typer.Argument(help="cli-help-configured_collection")] = None,
    due: Annotated[bool, typer.Option("--due", help="cli-help-due")] = False,
) -> None:
    from core.cli import facts

    raise typer.Exit(facts.run(lambda session: facts.synchronise(session, name, only_due=due)))


@command(facts_app, "search", "cli-help-facts-search")
def search_facts(
    name: Collection,
    question: Annotated[str, typer.Argument(help="cli-help-question")],
    limit: Annotated[int, typer.Option(min=1, max=50, metavar="<int>", help="cli-help-limit")] = 5,
) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.search(session, name, question, limit))


@command(facts_app, "list", "cli-help-facts-list")
def list_facts(as_json: Annotated[bool, typer.Option("--json", help="cli-help-json")] = False) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.show(session, as_json=as_json))


@command(facts_app, "remove", "cli-help-facts-remove")
def remove_facts(
    name: Collection, document: Annotated[str | None, typer.Argument(help="cli-help-document")] = None
) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.remove(session, name, document))


@command(facts_app, "export", "cli-help-facts-export")
def export_facts(name: Collection) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.export(session, name))


# ---------------------------------------------------------------- sources


@command(sources_app, "list", "cli-help-sources-list")
def list_sources() -> None:
    from core.cli import sources

    sources.show()


@command(sources_app, "test", "cli-help-sources-test")
def probe_sources(
    names: Annotated[list[str] | None, typer.Argument(help="cli-help-source_names")] = None,
    question: Annotated[str, typer.Option(help="cli-help-source_question")] = "",
) -> None:
    from core.cli import sources

    raise typer.Exit(sources.probe(names or (), question))


@command(sources_app, "add", "cli-help-sources-add")
def add_source(
    name: Annotated[str, typer.Argument(help="cli-help-source_name")],
    url: Annotated[str, typer.Argument(help="cli-help-source_url")],
    url_fr: Annotated[str | None, typer.Option(help="cli-help-url_fr")] = None,
    title_en: Annotated[str | None, typer.Option(help="cli-help-title_en")] = None,
    title_fr: Annotated[str | None, typer.Option(help="cli-help-title_fr")] = None,
    topic: Annotated[list[str] | None, typer.Option(help="cli-help-topic")] = None,
) -> None:
    from core.cli import sources

    sources.add(name, url, url_fr, title_en, title_fr, topic or ())


@command(app, "tune", "cli-help-tune")
def tune_engine(
    model: Annotated[str | None, typer.Option(help="cli-help-tune-model")] = None,
    show: Annotated[bool, typer.Option("--show", help="cli-help-tune-show")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="cli-help-tune-reset")] = False,
    force: Annotated[bool, typer.Option("--force", help="cli-help-tune-force")] = False,
) -> None:
    from core.cli import tune

    if show:
        tune.show()
    elif reset:
        tune.reset(model)
    else:
        tune.tune(model, force=force)


# ---------------------------------------------------------------- models

ModelId = Annotated[str, typer.Argument(help="cli-help-model")]
AsJson = Annotated[bool, typer.Option("--json", help="cli-help-json")]


@command(models_app, "list", "cli-help-models-list")
def list_models(as_json: AsJson = False) -> None:
    from core.cli import models

    models.show_all(as_json=as_json)


@command(models_app, "show", "cli-help-models-show")
def show_model(model: ModelId, as_json: AsJson = False) -> None:
    from core.cli import models

    models.show_one(model, as_json=as_json)


@command(models_app, "pull", "cli-help-models-pull")
def pull_model(
    model: Annotated[str, typer.Argument(help="cli-help-model_or_repository")],
    pattern: Annotated[str | None, typer.Argument(help="cli-help-model_pattern")] = None,
) -> None:
    from core.cli import model_pull

    raise typer.Exit(model_pull.pull(model, pattern))


@command(models_app, "use", "cli-help-models-use")
def use_model(model: Annotated[str, typer.Argument(help="cli-help-model_or_auto")]) -> None:
    from core.cli import models

    models.use(model)


@command(models_app, "remove", "cli-help-models-remove")
def remove_model(
    model: ModelId, yes: Annotated[bool, typer.Option("--yes", "-y", help="cli-help-yes")] = False
) -> None:
    from core.cli import models

    models.remove(model, yes=yes)


# ---------------------------------------------------------------- db


@command(db_app, "status", "cli-help-db-status")
def show_schema() -> None:
    from core.cli import database

    database.status()


@command(db_app, "upgrade", "cli-help-db-upgrade")
def upgrade_schema(dry_run: Annotated[bool, typer.Option("--dry-run", help="cli-help-dry_run")] = False) -> None:
    from core.cli import database

    database.upgrade(dry_run=dry_run)


# ---------------------------------------------------------------- manifest


def require_https(url: str | None) -> str | None:
    """Platforms accept no other address. Raises BadParameter."""
    if url is not None and (urlsplit(url).scheme != "https" or not urlsplit(url).hostname):
        raise bad_parameter("cli-usage-https")
    return url


def require_number(application: str | None) -> str | None:
    if application is not None and not (application.isascii() and application.isdecimal()):
        raise bad_parameter("cli-usage-application")
    return application


BotName = Annotated[str, typer.Option(help="cli-help-bot_name")]


@command(manifest_app, "slack", "cli-help-manifest-slack")
def print_slack_manifest(
    name: BotName = "Whisper",
    url: Annotated[str | None, typer.Option(help="cli-help-events_url", callback=require_https)] = None,
) -> None:
    from core.cli import manifest

    manifest.slack(name, url)


@command(manifest_app, "discord", "cli-help-manifest-discord")
def print_discord_link(
    application: Annotated[str | None, typer.Option(help="cli-help-application", callback=require_number)] = None,
) -> None:
    from core.cli import manifest

    manifest.discord(application)


@command(manifest_app, "teams", "cli-help-manifest-teams")
def write_teams_package(
    output: Annotated[Path, typer.Option("-o", "--output", help="cli-help-package")] = Path("csps-llm-teams.zip"),
    name: BotName = "Whisper",
    website: Annotated[
        str, typer.Option(help="cli-help-website", callback=require_https)
    ] = "https://www.csps-efpc.gc.ca/",
    read_all: Annotated[bool, typer.Option("--read-all/--mentions-only", help="cli-help-read_all")] = True,
) -> None:
    from core.cli import manifest

    manifest.teams(output, name, website, read_all=read_all)
