"""The facts that the papers state, read from the configuration as the service reads it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from core.configuration.personalities import Personalities, Personality
from core.configuration.settings import Settings
from core.contract import LANGUAGES, Language
from core.rag.sources.catalogue import PLACEHOLDER, PublicSource, Sources
from core.storage.database import serves_several

PLATFORMS: Mapping[str, str] = {"slack": "Slack", "discord": "Discord", "teams": "Microsoft Teams"}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model that answers. `licence` and `languages` are empty if they are not known here."""

    title: str
    licence: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFacts:
    title: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssistantFacts:
    name: str
    title: str
    language: Language
    description: str
    sources: tuple[SourceFacts, ...]
    collections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """All facts, with texts in one language. `engine`: the host of a remote engine; None: there is none."""

    version: str
    today: date
    language: Language
    models: tuple[ModelFacts, ...]
    engine: str | None
    assistants: tuple[AssistantFacts, ...]
    platforms: tuple[str, ...]
    keep_days: int
    feedback_days: int
    pages_days: int
    receipts_days: int | None  # None: as long as their conversation
    statistics_days: int
    encrypts: bool  # people's texts in the database
    keeps_states: bool  # idle conversations, encrypted, so that they continue without a delay
    central_database: bool
    knows_people: bool
    log_level: str

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages in which assistants answer."""
        return tuple(each for each in LANGUAGES if any(each == one.language for one in self.assistants))

    @property
    def sources(self) -> tuple[SourceFacts, ...]:
        """The sources of all assistants, each once."""
        return tuple(dict.fromkeys(source for one in self.assistants for source in one.sources))

    @property
    def reads_sources(self) -> bool:
        return any(one.sources or one.collections for one in self.assistants)


def gather_facts(settings: Settings, models: Iterable[ModelFacts], language: Language, today: date) -> ServiceFacts:
    """Reads the files of the configuration. Raises ConfigError."""
    personalities = Personalities(settings.config_file("personalities"))
    personalities.load()
    sources = Sources(settings.config_file("sources.toml"), settings.rag.allow)
    sources.load()
    known = sources.catalogue.sources
    assistants = (describe(personalities.get(name), known, language) for name in personalities.names())
    return ServiceFacts(
        version=importlib.metadata.version("csps-llm"),
        today=today,
        language=language,
        models=tuple(models),
        engine=urlsplit(settings.model.url).hostname if settings.model.url else None,
        assistants=tuple(assistants),
        platforms=tuple(title for name, title in PLATFORMS.items() if settings.platform(name).missing is None),
        keep_days=settings.data.keep_days,
        feedback_days=settings.retention["feedback"].days,
        pages_days=settings.retention["pages"].days,
        receipts_days=settings.records.receipts_days,
        statistics_days=settings.retention["statistics"].days,
        encrypts=bool(settings.records.key or settings.records.key_file),
        keeps_states=settings.model.url is None and settings.model.suspend_disk_mb > 0,
        central_database=serves_several(settings.database_url),
        knows_people=settings.web.user_header is not None,
        log_level=settings.log.level,
    )


def describe(personality: Personality, sources: Mapping[str, PublicSource], language: Language) -> AssistantFacts:
    """A source that the personality names and the file lacks is left out: the service reads nothing there."""
    named = (sources[name] for name in personality.sources if name in sources)
    return AssistantFacts(
        personality.name,
        personality.title,
        personality.language,
        personality.description.in_language(language),
        tuple(describe_source(source, language) for source in named),
        personality.collections,
    )


def describe_source(source: PublicSource, language: Language) -> SourceFacts:
    templates = [source.section.url.in_language(each) for each in LANGUAGES]
    hosts = (urlsplit(PLACEHOLDER.sub("x", template)).hostname or "" for template in templates)
    return SourceFacts(source.section.title.in_language(language), tuple(dict.fromkeys(hosts)))
