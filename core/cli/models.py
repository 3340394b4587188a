"""`csps-llm models list | show | use | remove`: the models, and which of them answers. `model_pull` downloads them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.cli import engine_checks
from core.cli.localization import locale_language
from core.cli.model_host import fetch_served
from core.cli.model_survey import ModelRow, ModelSurvey, load_catalogue, load_settings, survey_models
from core.cli.model_texts import describe_obstacle, describe_progress, describe_speed, explain_choice, share
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import BadRequest, ConfigError
from core.model.library.catalogue import ModelCatalogue, RemoteModel
from core.model.library.choice import choose_configured, find_spec
from core.model.library.installed import remove_installed
from core.model.library.selection import write_selection
from core.model.library.specs import HubFile, ModelSpec
from core.runtime.disk_faults import explain_disk_fault
from core.texts import text

AUTOMATIC = "auto"
HUB = "https://huggingface.co"
COLUMNS = ("id", "size", "licence", "languages", "state")
WIDE = 200  # a file or pipe has no width to cut lines to
STYLES = {"in_use": "bold green", "loaded": "green", "downloaded": "green", "failed": "red", "unfit": "dim"}


def show_all(*, as_json: bool) -> None:
    """Prints every model, which one is the default, and why."""
    survey, language = survey_now(load_settings()), locale_language(os.environ)
    rows = survey.rows()
    if as_json:
        print_json(
            [*(describe_row(row, language) for row in rows), *describe_remote(survey.catalogue, survey.choice.id)]
        )
        return
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    table = build_table(rows, language)
    for model_id, model in survey.catalogue.remote.items():
        hosts = text("cli-models-state-remote", language, hosts=", ".join(hosts_of(model)))
        table.add_row("*" if model_id == survey.choice.id else "", model_id, "", "", "", hosts)
    console.print(table)
    for line in explain_default(survey, language):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def show_one(model_id: str, *, as_json: bool) -> None:
    """Prints everything about one model. Raises NotFound."""
    settings, language = load_settings(), locale_language(os.environ)
    if model_id in load_catalogue(settings).remote:
        show_engines(model_id, settings, language, as_json=as_json)
        return
    survey = survey_now(settings)
    row = survey.row(find_local(model_id, survey.catalogue, language))
    if as_json:
        print_json(describe_row(row, language))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for key, value in details(row, language):
        table.add_row(text(f"cli-models-detail-{key}", language), Text(value, overflow="fold"))
    (Console() if sys.stdout.isatty() else Console(width=WIDE)).print(table)


def show_engines(model_id: str, settings: Settings, language: Language, *, as_json: bool) -> None:
    """Prints what each engine of the model answers with, and what it lacks. Raises ConfigError."""
    examined = asyncio.run(engine_checks.examine_model(model_id, settings))
    if as_json:
        print_json([engine_checks.as_row(each, language) for each in examined])
        return
    for each in examined:
        typer.echo(engine_checks.describe(each, language))


def use(model_id: str) -> None:
    """Stores the default model; a running service takes it over. Raises NotFound, BadRequest, ConfigError."""
    settings, language = load_settings(), locale_language(os.environ)
    catalogue = load_catalogue(settings)
    spec = None if model_id == AUTOMATIC or model_id in catalogue.remote else find_spec(model_id, catalogue)
    if spec and spec.embedder:
        raise BadRequest(text("cli-models-not-a-chat-model", language, title=spec.title))
    try:
        write_selection(settings.data_folder, None if model_id == AUTOMATIC else model_id)
    except OSError as exc:
        raise ConfigError(f"{exc.filename or settings.data_folder}: {explain_disk_fault(exc, language)}") from exc
    for line in explain_selection(model_id, spec, settings, catalogue, language):
        typer.echo(line)


def explain_selection(
    model_id: str, spec: ModelSpec | None, settings: Settings, catalogue: ModelCatalogue, language: Language
) -> Iterator[str]:
    """Yields lines: what is used from now on, and what stands in its way. `spec`: None for engines and "auto"."""
    survey = survey_now(settings)
    if remote := catalogue.remote.get(model_id):
        yield text("cli-models-selected-remote", language, title=remote.title, hosts=", ".join(hosts_of(remote)))
    elif spec is None:
        yield text("cli-models-selected-auto", language)
        yield from explain_default(survey, language)
    else:
        yield text("cli-models-selected", language, title=spec.title)
        yield from explain_obstacles(survey.row(spec), language, offline=survey.resources.offline)
    if settings.model.url:
        yield text("cli-models-overridden-url", language)
        return
    yield text("cli-models-live" if survey.served is not None else "cli-models-next-start", language)
    if (configured := choose_configured(settings, catalogue)) is not None:
        yield text(f"cli-models-overridden-{configured.reason}", language)


def explain_obstacles(row: ModelRow, language: Language, *, offline: bool) -> Iterator[str]:
    """Yields lines on what a selected model of this machine lacks."""
    if row.verdict and (obstacles := [each for each in row.verdict.obstacles if each.kind != "offline"]):
        yield text("cli-models-selected-unfit", language, why=describe_obstacle(obstacles[0], language))
    if row.path is None and isinstance(row.spec.source, HubFile):
        yield text(f"cli-models-selected-{'offline' if offline else 'absent'}", language)


def explain_default(survey: ModelSurvey, language: Language) -> Iterator[str]:
    """Yields lines: which model answers by default, and why."""
    if survey.settings.model.url:
        yield text("cli-models-elsewhere", language)
        return
    here, offline = survey.default_is_here, survey.resources.offline
    yield from explain_choice(survey.choice, survey.catalogue, language, is_here=here, offline=offline)


def remove(model_id: str, *, yes: bool) -> None:
    """Deletes a model's files after a confirmation. Raises NotFound, BadRequest, ConfigError."""
    survey, language = survey_now(load_settings()), locale_language(os.environ)
    spec = find_local(model_id, survey.catalogue, language)
    row = survey.row(spec)
    users = survey.personalities_of(spec)
    if (refusal := refuse_removal(row, users)) is not None:
        values = {"title": spec.title, "personalities": ", ".join(users)}
        raise BadRequest(text(f"cli-models-refused-{refusal}", language, **values))
    assert isinstance(spec.source, HubFile)
    if not yes:
        question = text("cli-models-remove-question", language, title=spec.title, size=row.size_bytes)
        typer.confirm(question, abort=True)
    try:
        freed = remove_installed(survey.models, spec.source)
    except OSError as exc:
        raise ConfigError(f"{exc.filename}: {explain_disk_fault(exc, language)}") from exc
    typer.echo(text("cli-models-removed", language, title=spec.title, size=freed))


def find_local(model_id: str, catalogue: ModelCatalogue, language: Language) -> ModelSpec:
    """Returns a model of this machine. Raises NotFound, BadRequest."""
    if model_id in catalogue.remote:
        title = catalogue.remote[model_id].title
        raise BadRequest(text("cli-models-remote", language, title=title, id=model_id))
    return find_spec(model_id, catalogue)


def survey_now(settings: Settings) -> ModelSurvey:
    return survey_models(settings, asyncio.run(fetch_served(settings)))


def refuse_removal(row: ModelRow, personalities: Sequence[str] = ()) -> str | None:
    """Returns the last part of the key of the reason; None if the model may be removed.

    A model that is only loaded may: the host unloads it, and nobody asks for it again.
    """
    if not isinstance(row.spec.source, HubFile):
        return "not_removable"
    if row.path is None and row.progress is None:
        return "not_here"
    if row.is_default or row.state in ("in_use", "loading"):
        return "in_use"
    if personalities:
        return "named"
    return "is_downloading" if row.state in ("downloading", "waiting", "checking") else None


# ---------------------------------------------------------------- printing


def build_table(rows: list[ModelRow], language: Language) -> Table:
    table = Table("", *(text(f"cli-models-column-{column}", language) for column in COLUMNS))
    for row in rows:
        state = Text(describe_state(row, language), STYLES.get(row.state, ""))
        size = text("cli-models-size", language, bytes=row.size_bytes) if row.size_bytes else ""
        languages = describe_languages(row.languages, language) if row.languages else ""
        table.add_row(
            "*" if row.is_default else "", Text(row.spec.id, overflow="fold"), size, row.licence or "", languages, state
        )
    return table


def describe_languages(codes: tuple[str, ...], language: Language) -> str:
    """The official languages, and the number of others."""
    official = [code for code in ("en", "fr") if code in codes]
    others = len(codes) - len(official)
    return text("cli-models-languages", language, official=", ".join(official), others=others)


def describe_state(row: ModelRow, language: Language) -> str:
    if row.state == "unfit" and row.verdict:
        return describe_obstacle(row.verdict.obstacles[0], language)
    values = {"share": share(row.progress) if row.progress else 0.0}
    return text(f"cli-models-state-{row.state}", language, **values)


def details(row: ModelRow, language: Language) -> Iterator[tuple[str, str]]:
    """Yields the key of a label, and what stands behind it."""
    yield "title", row.spec.title
    yield "id", row.spec.id
    yield "state", describe_state(row, language)
    if row.progress:
        yield "download", describe_progress(row.spec.title, row.progress, language)
    if row.entry:
        yield "good_for", row.entry.good_for.in_language(language)
    if row.languages:
        yield "languages", ", ".join(row.languages)
    if row.licence:
        yield "licence", f"{row.licence} ({row.entry.licence_url})" if row.entry else row.licence
    if row.entry:
        yield "context", text("cli-models-tokens", language, count=row.entry.context_window)
    if row.size_bytes:
        yield "size", text("cli-models-size", language, bytes=row.size_bytes)
    yield from file_details(row, language)


def file_details(row: ModelRow, language: Language) -> Iterator[tuple[str, str]]:
    """Yields what the model needs here, and where its file comes from and is."""
    if row.verdict:
        yield "memory", text("cli-models-size", language, bytes=row.verdict.needed_bytes)
        if not row.spec.embedder:
            yield "speed", describe_speed(row.verdict, language)
        yield from (("obstacle", describe_obstacle(each, language)) for each in row.verdict.obstacles)
    if isinstance(row.spec.source, HubFile):
        yield "repository", f"{HUB}/{row.spec.source.repo}"
        yield "file", row.spec.source.pattern
        yield from (("sha256", each) for each in row.spec.source.sha256s)
    if row.path:
        yield "path", str(row.path)


def describe_row(row: ModelRow, language: Language) -> dict[str, Any]:
    """The row as JSON: names and numbers, and the one text that depends on the language."""
    entry, verdict, progress = row.entry, row.verdict, row.progress
    source = row.spec.source
    return {
        "id": row.spec.id,
        "title": row.spec.title,
        "kind": "embedder" if row.spec.embedder else "chat",
        "state": row.state,
        "default": row.is_default,
        "size_bytes": row.size_bytes or None,
        "licence": row.licence,
        "licence_url": entry.licence_url if entry else None,
        "languages": list(row.languages) or None,
        "context_window": entry.context_window if entry else None,
        "good_for": entry.good_for.in_language(language) if entry else None,
        "repository": source.repo if isinstance(source, HubFile) else None,
        "file": source.pattern if isinstance(source, HubFile) else None,
        "path": str(row.path) if row.path else None,
        "fits": verdict.fits if verdict else None,
        "needed_bytes": verdict.needed_bytes if verdict else None,
        "tokens_per_s": verdict.tokens_per_s if verdict else None,
        "obstacles": [
            {"kind": each.kind, "needed": each.needed, "available": each.available}
            for each in (verdict.obstacles if verdict else ())
        ],
        "download": describe_download(progress) if progress else None,
    }


def describe_remote(catalogue: ModelCatalogue, default_id: str) -> Iterator[dict[str, Any]]:
    for model_id, model in catalogue.remote.items():
        values = {"title": model.title, "state": "remote", "default": model_id == default_id}
        yield {"id": model_id, **values, "engines": hosts_of(model)}


def hosts_of(model: RemoteModel) -> list[str]:
    """The names of a model's engines, without passwords."""
    return [engine.label for engine in model.engines]


def describe_download(progress: Any) -> dict[str, Any]:
    keys = ("state", "done_bytes", "total_bytes", "bytes_per_s", "expected_s", "problem")
    return {key: getattr(progress, key) for key in keys}


def print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
