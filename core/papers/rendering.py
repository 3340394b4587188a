"""Writes papers in Markdown from the templates of `config/papers/<language>/`, which Jinja fills with facts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.configuration.settings import SHIPPED, Settings
from core.contract import LANGUAGES, Language
from core.errors import ConfigError
from core.papers.service_facts import ServiceFacts
from core.texts import format_date, text

Paper = Literal["system-card", "accessibility", "privacy", "operators-guide"]
PAPERS: tuple[Paper, ...] = get_args(Paper)
FOLDER = "papers"
AND = {"en": " and ", "fr": " et "}
LANGUAGE_NAMES = {"en": {"en": "English", "fr": "French"}, "fr": {"en": "anglais", "fr": "français"}}


def write_papers(settings: Settings, facts: dict[Language, ServiceFacts], folder: Path) -> list[Path]:
    """Writes every paper in both languages below `folder`, and returns the files. Raises ConfigError, OSError."""
    written = []
    for language in LANGUAGES:
        for paper in PAPERS:
            file = folder / language / f"{paper}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(render_paper(settings, facts[language], paper), encoding="utf-8")
            written.append(file)
    return written


def render_paper(settings: Settings, facts: ServiceFacts, paper: Paper) -> str:
    """Raises ConfigError for a template that cannot be read or filled."""
    file = template_file(settings, paper, facts.language)
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    names = LANGUAGE_NAMES[facts.language]
    values = {
        "facts": facts,
        "date": format_date(facts.today, facts.language),
        "operator": text("page-about-operator", facts.language),
        "contact": text("page-about-contact", facts.language),
        "language_names": names,
        "languages": AND[facts.language].join(names[each] for each in facts.languages),
    }
    try:
        return environment.from_string(file.read_text(encoding="utf-8")).render(values)
    except (OSError, UnicodeDecodeError, TemplateError) as exc:
        raise ConfigError(f"{file}: {exc}") from exc


def template_file(settings: Settings, paper: Paper, language: Language) -> Path:
    """The operator's own template if there is one, else the shipped one."""
    own = settings.config / FOLDER / language / f"{paper}.md"
    return own if own.exists() else SHIPPED / FOLDER / language / f"{paper}.md"
