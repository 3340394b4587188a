"""`csps-llm papers`: writes the papers about a service, in both languages."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import typer

from core.cli.localization import locale_language
from core.cli.model_survey import survey_models
from core.configuration import settings as settings_module
from core.configuration.settings import Settings
from core.contract import LANGUAGES
from core.errors import ConfigError
from core.papers.rendering import write_papers
from core.papers.service_facts import ModelFacts, gather_facts
from core.runtime.disk_faults import explain_disk_fault
from core.texts import overlay, text


def papers(folder: Path) -> None:
    """Raises ConfigError for a configuration, a template or a folder that cannot be used."""
    settings, language = settings_module.load(os.environ), locale_language(os.environ)
    overlay(settings.config)
    models, today = find_models(settings), datetime.now().astimezone().date()
    facts = {each: gather_facts(settings, models, each, today) for each in LANGUAGES}
    try:
        files = write_papers(settings, facts, folder)
    except OSError as exc:
        raise ConfigError(f"{exc.filename or folder}: {explain_disk_fault(exc, language)}") from exc
    for file in files:
        typer.echo(str(file))
    typer.echo(text("cli-papers-written", language))


def find_models(settings: Settings) -> tuple[ModelFacts, ...]:
    """The default model and those of personalities. Of a remote engine, only the configured name is known."""
    if settings.model.url:
        return (ModelFacts(settings.model.name),) if settings.model.name else ()
    survey = survey_models(settings)
    rows = [row for row in survey.rows() if row.is_default or survey.personalities_of(row.spec)]
    return tuple(ModelFacts(row.spec.title, row.licence or "", row.languages) for row in rows)
