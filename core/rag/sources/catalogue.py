"""The public sources of config/sources.toml: loads them, validates them, and reloads changed files.

Owns the definition of a source and its URL templates. Knows neither how sources are chosen nor how they are read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, create_model, model_validator

from core.configuration import toml
from core.configuration.toml import NAME, BilingualText, Section, ShortText
from core.configuration.watched_config import WatchedConfig, unknown
from core.contract import Language
from core.errors import ConfigError, FetchRefused, NotFound
from core.rag.fetching import url_policy
from core.rag.sources.name_table import NamedItem, NameTable

QUERY = "query"
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
PATH_VALUE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")  # in the URL's path: no slash, no "..", no escape
VALUE_LIMIT_CHARS = 200
NO_SOURCE = "none"  # the table of questions that need no source


def template_keys(template: str) -> set[str]:
    return set(PLACEHOLDER.findall(template))


def check_template(template: str, placeholders: AbstractSet[str], allow: Collection[str] = ()) -> None:
    """Raises FetchRefused for a template that is no public https URL, or that leaves too much open.

    `placeholders`: the allowed placeholders. `allow`: "host:port" without checks.
    """
    url = url_policy.check_url(PLACEHOLDER.sub("x", template), frozenset(allow))
    if url.scheme != "https" and url_policy.url_origin(url) not in allow:
        raise FetchRefused("only https:// URLs are read, except from hosts in RAG_ALLOW", "form")
    if unknown := template_keys(template) - placeholders:
        can = f"; known names are {', '.join(sorted(placeholders))}" if placeholders else ""
        raise FetchRefused(f"{{{min(unknown)}}} is not known here{can}", "form")
    parts = urlsplit(template)
    if PLACEHOLDER.search(parts.netloc) or PLACEHOLDER.search(parts.fragment):
        raise FetchRefused("only the path and the query may contain {…}", "form")
    if f"{{{QUERY}}}" in parts.path:
        raise FetchRefused("{query} is allowed only in the query", "form")
    if re.search(r"[{}]", PLACEHOLDER.sub("", template)):
        raise FetchRefused("a brace belongs to no {name}; write it as %7B or %7D", "form")


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Fills in the placeholders. Raises FetchRefused for a value that could change where the URL leads."""
    path, mark, query = template.partition("?")
    return (
        PLACEHOLDER.sub(lambda match: path_value(values[match[1]]), path)
        + mark
        + PLACEHOLDER.sub(lambda match: quote(values[match[1]][:VALUE_LIMIT_CHARS], safe=""), query)
    )


def path_value(value: str) -> str:
    if not PATH_VALUE.fullmatch(value) or ".." in value or len(value) > VALUE_LIMIT_CHARS:
        problem = "a value for the URL's path has other characters than letters, digits, dots and hyphens"
        raise FetchRefused(problem, "form")
    return value


class PhrasesByLanguage(Section):
    """Words and sentences in both languages: a question may name a thing in the other one."""

    en: tuple[ShortText, ...] = ()
    fr: tuple[ShortText, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.en, *self.fr)


class PerLanguage(Section):
    """A value for each language, or one for both."""

    en: ShortText | None = None
    fr: ShortText | None = None

    @model_validator(mode="after")
    def has_any(self) -> PerLanguage:
        if self.en is None and self.fr is None:
            raise ValueError("`en` or `fr` is required")
        return self

    def in_language(self, language: Language) -> str:
        match = self.fr if language == "fr" else self.en
        either = match or self.en or self.fr
        assert either is not None  # has_any
        return either


class NamedSection(Section):
    """Names that a question may contain, and the URL that is read then."""

    file: ShortText  # of names; the path is relative to sources.toml
    url: PerLanguage
    strict: bool = False  # reports a name that is missing in the file
    default: ShortText | None = None  # the name that is taken if a question has none; the person is told
    name_weight: float = Field(
        default=0, ge=0, le=1, alias="tells"
    )  # that a question with such a name needs this source


class SearchFields(Section):
    """The paths of a search's JSON: keys joined by dots. A `link` with https:// takes its {…} from the entry."""

    entries: ShortText
    title: ShortText | PerLanguage
    link: ShortText | PerLanguage | None = None
    date: ShortText | PerLanguage | None = None
    summary: ShortText | PerLanguage | None = None


class SourceSection(Section):
    """A source as the file defines it."""

    # "feed" and "page" are for readers of the file: the fetched bytes decide how they are read. "search" has `fields`.
    kind: Literal["feed", "page", "search"]
    title: BilingualText
    description: BilingualText
    url: PerLanguage
    page: PerLanguage | None = None  # the address for people, if neither the feed's own link nor `url` is
    names: PhrasesByLanguage = PhrasesByLanguage()
    topics: PhrasesByLanguage = PhrasesByLanguage()
    hints: PhrasesByLanguage = PhrasesByLanguage()
    examples: PhrasesByLanguage = PhrasesByLanguage()
    fresh_s: float = Field(default=3600, ge=0, le=30 * 86400)
    entries: int = Field(default=20, ge=1, le=500)
    named: NamedSection | None = None
    fields: SearchFields | None = None

    @model_validator(mode="after")
    def is_one(self) -> SourceSection:
        if (self.kind == "search") != (self.fields is not None):
            raise ValueError("a search needs `fields`, and nothing else has them")
        return self


@dataclass(frozen=True, slots=True)
class PublicSource:
    name: str
    section: SourceSection
    named: NameTable | None = None

    def title(self, language: Language) -> str:
        return self.section.title.in_language(language)

    @property
    def default(self) -> NamedItem | None:
        """The name that is taken if a question has none."""
        named = self.section.named
        return self.named.named(named.default) if self.named and named and named.default else None

    @property
    def examples(self) -> tuple[str, ...]:
        """The questions that it answers; without any, its title and description stand for them."""
        section = self.section
        titles = (section.title.en, section.title.fr, section.description.en, section.description.fr)
        return section.examples.all or tuple(dict.fromkeys(titles))

    @property
    def searches(self) -> bool:
        return self.section.kind == "search"

    def url(self, language: Language, match: NamedItem | None = None, query: str = "") -> str:
        """Returns the URL to fetch. Raises FetchRefused if a value would change where it leads."""
        template = self._template(language, match)
        values = match.values if match is not None else {}
        return fill_template(template, {**values, QUERY: query})

    def page(self, language: Language, query: str = "") -> str | None:
        """Returns the address for people, if the file has one."""
        template = self.section.page.in_language(language) if self.section.page else None
        return template and fill_template(template, {QUERY: query})

    def _template(self, language: Language, match: NamedItem | None) -> str:
        if match is not None and self.section.named is not None:
            template = self.section.named.url.in_language(language)
            if all(match.values[key] for key in template_keys(template) - {QUERY}):
                return template
        return self.section.url.in_language(language)  # no name, or its value for the URL is unknown


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All sources at one moment, and example questions that need none."""

    sources: Mapping[str, PublicSource]
    no_source_examples: tuple[str, ...] = ()

    def select(self, names: Collection[str]) -> list[PublicSource]:
        return [source for name, source in self.sources.items() if name in names]


class Sources(WatchedConfig):
    """The watched file of sources. `allow`: "host:port" inside the network that URLs may lead to, also without TLS."""

    what = "sources"

    def __init__(self, file: Path, allow: Collection[str] = ()) -> None:
        self.file = file
        self.folder = file.parent
        self._allow = frozenset(entry.lower() for entry in allow)
        self.catalogue = Catalogue({})

    def load(self) -> None:
        """Loads the file. Raises ConfigError with every problem; then nothing changes."""
        self.catalogue = load_catalogue(self.file, self._allow)

    def concerns(self, file: Path) -> bool:
        return file.name == self.file.name or file.suffix == ".csv"

    def names(self) -> tuple[str, ...]:
        return tuple(self.catalogue.sources)

    def get(self, name: str) -> PublicSource:
        """Raises NotFound, with the nearest name and all others."""
        if name in self.catalogue.sources:
            return self.catalogue.sources[name]
        raise NotFound(unknown("source", name, self.catalogue.sources))


def load_catalogue(file: Path, allow: Collection[str] = ()) -> Catalogue:
    """Raises ConfigError with every problem of the file, each with its line."""
    content = toml.read_tables(file)
    for name in content:
        if not NAME.fullmatch(name):
            raise ConfigError(f"{file_place(file, name)}: a source's name has only a-z, 0-9 and -; {name!r} has more")
    no_source_examples = toml.validate(NoSourceFile, {NO_SOURCE: content.pop(NO_SOURCE, {})}, file).none.all
    kinds: dict[str, Any] = {name.replace("-", "_"): (SourceSection, Field(alias=name)) for name in content}
    # A model with a field for each source, so that validation names the place of each problem.
    sections = dict(toml.validate(create_model("SourcesFile", __base__=Section, **kinds), content, file))
    sources, problems = {}, []
    for name in content:
        try:
            sources[name] = build_source(name, sections[name.replace("-", "_")], file, allow)
        except ConfigError as exc:
            problems.append(exc.message)
    if problems:
        raise ConfigError("\n".join(problems))
    return Catalogue(sources, no_source_examples)


class NoSourceFile(Section):
    none: PhrasesByLanguage = PhrasesByLanguage()


def build_source(name: str, section: SourceSection, file: Path, allow: Collection[str]) -> PublicSource:
    """Builds the source with its table of names. Raises ConfigError."""
    names = NameTable.load(file.parent / section.named.file, strict=section.named.strict) if section.named else None
    problems = []
    for key, template, placeholders in section_templates(section, names):
        try:
            check_template(template, placeholders, allow)
        except FetchRefused as exc:
            problems.append(f"{file_place(file, name, *key)}: {template}: {exc.message}")
    if names is not None and section.named is not None and (default := section.named.default) is not None:
        row = names.named(default)
        if row is None or not row.is_covered:
            problems.append(f"{file_place(file, name, 'named', 'default')}: {section.named.file} has no {default}")
    if problems:
        raise ConfigError("\n".join(problems))
    return PublicSource(name, section, names)


def section_templates(section: SourceSection, names: NameTable | None) -> Iterator[tuple[Sequence[str], str, set[str]]]:
    """Yields (key, URL template, allowed placeholders)."""
    query = {QUERY} if section.kind == "search" else set()
    for language, template in section.url:
        if template is not None:
            yield ("url", language), template, query
    for language, template in section.page or ():
        if template is not None:
            yield ("page", language), template, query
    if section.named is not None and names is not None:
        for language, template in section.named.url:
            if template is not None:
                yield ("named", "url", language), template, query | names.columns


def file_place(file: Path, *key: str) -> str:
    return toml.place_of(key, file, file.read_text(encoding="utf-8"))
