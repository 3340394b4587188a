"""The public sources of config/sources.toml: loaded, validated, and swapped when the file or a table of names changes.

Owns what a source is and which there are. Knows neither how one is chosen nor how it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from core.configuration import toml
from core.configuration.toml import NAME, Line, Section, Words
from core.configuration.watched_config import Reloaded, unknown
from core.contract import Language
from core.errors import ConfigError, FetchRefused, NotFound
from core.rag.sources import url_templates
from core.rag.sources.names import Named, Names
from core.rag.sources.url_templates import QUERY

NONE = "none"  # the table of questions that need no source
Template = Annotated[str, Field(min_length=1, max_length=2000)]


class Texts(Section):
    """Words and sentences of either language; a question may be in one and name a thing of the other."""

    en: tuple[Line, ...] = ()
    fr: tuple[Line, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.en, *self.fr)


class OfLanguage(Section):
    """One for each language, or one for both."""

    en: Template | None = None
    fr: Template | None = None

    @model_validator(mode="after")
    def has_any(self) -> OfLanguage:
        if self.en is None and self.fr is None:
            raise ValueError("neither `en` nor `fr` is there")
        return self

    def within(self, language: Language) -> str:
        found = self.fr if language == "fr" else self.en
        either = found or self.en or self.fr
        assert either is not None  # has_any
        return either


class NamedSection(Section):
    """Names that a question may contain, and what is read then."""

    file: Template  # of names, by its place beside sources.toml
    url: OfLanguage
    strict: bool = False  # a name that is not in the file is not passed over
    tells: float = Field(default=0, ge=0, le=1)  # how likely whoever names one of them wants this source


class Fields(Section):
    """Where a search's JSON has what: keys joined by dots. A `link` of https:// takes its {…} from the entry."""

    entries: Template
    title: Template | OfLanguage
    link: Template | OfLanguage | None = None
    date: Template | OfLanguage | None = None
    summary: Template | OfLanguage | None = None


class SourceSection(Section):
    """What the file says of one source."""

    kind: Literal["feed", "page", "search"]
    title: Words
    description: Words
    url: OfLanguage
    page: OfLanguage | None = None  # what a person opens, where that is neither what a feed says nor `url`
    names: Texts = Texts()
    topics: Texts = Texts()
    hints: Texts = Texts()
    examples: Texts = Texts()
    fresh_s: float = Field(default=3600, ge=0, le=30 * 86400)
    entries: int = Field(default=20, ge=1, le=500)
    named: NamedSection | None = None
    fields: Fields | None = None

    @model_validator(mode="after")
    def is_one(self) -> SourceSection:
        if (self.kind == "search") != (self.fields is not None):
            raise ValueError("a search needs `fields`, and nothing else has them")
        return self


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    says: SourceSection
    named: Names | None = None

    def title(self, language: Language) -> str:
        return self.says.title.fr if language == "fr" else self.says.title.en

    @property
    def searches(self) -> bool:
        return self.says.kind == "search"

    def url(self, language: Language, found: Named | None = None, query: str = "") -> str:
        """What to fetch. Raises FetchRefused if what was put in would lead elsewhere."""
        template = self._template(language, found)
        values = found.values if found is not None else {}
        return url_templates.filled(template, {**values, QUERY: query})

    def page(self, language: Language, query: str = "") -> str | None:
        """Where a person can read it, if the file says."""
        template = self.says.page.within(language) if self.says.page else None
        return template and url_templates.filled(template, {QUERY: query})

    def _template(self, language: Language, found: Named | None) -> str:
        if found is not None and self.says.named is not None:
            template = self.says.named.url.within(language)
            if all(found.values[key] for key in url_templates.keys(template) - {QUERY}):
                return template
        return self.says.url.within(language)  # nothing is named, or what it is called there is not known


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sources of one moment, and questions that need none."""

    sources: Mapping[str, Source]
    needless: tuple[str, ...] = ()

    def of(self, names: Collection[str]) -> list[Source]:
        return [source for name, source in self.sources.items() if name in names]


class Sources(Reloaded):
    """Those of one file.

    `allow`: "host:port" inside the network that URLs may lead to, also without TLS.
    """

    what = "sources"

    def __init__(self, file: Path, allow: Collection[str] = ()) -> None:
        self.file = file
        self.folder = file.parent
        self._allow = frozenset(entry.lower() for entry in allow)
        self._catalogue = Catalogue({})

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    def load(self) -> None:
        """Take the file, or raise ConfigError with every problem of it and change nothing."""
        self._catalogue = read(self.file, self._allow)

    def concerns(self, file: Path) -> bool:
        return file.name == self.file.name or file.suffix == ".csv"

    def names(self) -> tuple[str, ...]:
        return tuple(self._catalogue.sources)

    def get(self, name: str) -> Source:
        """Raises NotFound, which names the nearest and those there are."""
        sources = self._catalogue.sources
        if name in sources:
            return sources[name]
        raise NotFound(unknown("source", name, sources))


def read(file: Path, allow: Collection[str] = ()) -> Catalogue:
    """Raises ConfigError with every problem of the file, each with its line."""
    content = toml.read(file)
    for name in content:
        if not NAME.fullmatch(name):
            raise ConfigError(f"{place(file, name)}: a source's name has only a-z, 0-9 and -; {name!r} has more")
    needless = toml.validate(NoneFile, {NONE: content.pop(NONE, {})}, file).none.all
    kinds: dict[str, Any] = {name.replace("-", "_"): (SourceSection, Field(alias=name)) for name in content}
    # A model with a field for each source, so that what is wrong is told with its place.
    says = dict(toml.validate(create_model("SourcesFile", __base__=Section, **kinds), content, file))
    sources, problems = {}, []
    for name in content:
        try:
            sources[name] = made(name, says[name.replace("-", "_")], file, allow)
        except ConfigError as exc:
            problems.append(exc.message)
    if problems:
        raise ConfigError("\n".join(problems))
    return Catalogue(sources, needless)


class NoneFile(Section):
    none: Texts = Texts()


def made(name: str, says: SourceSection, file: Path, allow: Collection[str]) -> Source:
    """With its table of names. Raises ConfigError."""
    names = Names.load(file.parent / says.named.file, strict=says.named.strict) if says.named else None
    problems = []
    for key, template, known in templates(says, names):
        try:
            url_templates.check(template, known, allow)
        except FetchRefused as exc:
            problems.append(f"{place(file, name, *key)}: {template}: {exc.message}")
    if problems:
        raise ConfigError("\n".join(problems))
    return Source(name, says, names)


def templates(says: SourceSection, names: Names | None) -> Iterator[tuple[Sequence[str], str, set[str]]]:
    """(key, URL template, what may stand in its braces) of each."""
    query = {QUERY} if says.kind == "search" else set()
    for language, template in says.url:
        if template is not None:
            yield ("url", language), template, query
    for language, template in says.page or ():
        if template is not None:
            yield ("page", language), template, query
    if says.named is not None and names is not None:
        for language, template in says.named.url:
            if template is not None:
                yield ("named", "url", language), template, query | names.columns


def place(file: Path, *key: str) -> str:
    return toml.place_of(key, file, file.read_text(encoding="utf-8"))
