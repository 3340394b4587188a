"""The collections of config/facts.toml: their origins, how often these are read again, and who may add documents.

The file is validated with the places of all problems, and loaded again when it changes. Collections that only
`csps-llm facts add` fills are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model

from core.configuration import toml
from core.configuration.setting_types import AllowList, EditorList
from core.configuration.toml import BilingualText, Section
from core.configuration.watched_config import WatchedConfig, unknown
from core.errors import ConfigError, NotFound, closest_name
from core.rag.facts.connectors.protocol import OriginConnector
from core.rag.facts.connectors.registry import CONNECTORS
from core.rag.facts.sync import COLLECTION_NAME

FILE = "facts.toml"
Refresh = Literal["hourly", "daily", "weekly", "never"]
INTERVALS_S: Mapping[Refresh, float | None] = {
    "hourly": 3600.0,
    "daily": 86_400.0,
    "weekly": 7 * 86_400.0,
    "never": None,
}


class CollectionSection(Section):
    """A table of the file, without its origins."""

    title: BilingualText
    refresh: Refresh = "daily"
    facts_editors: EditorList | None = None  # None: those of the settings
    allow: AllowList | None = None  # whose answers may be based on it; None: everybody's


@dataclass(frozen=True, slots=True)
class ConfiguredCollection:
    name: str
    section: CollectionSection
    origins: Mapping[str, OriginConnector]

    @property
    def interval_s(self) -> float | None:
        """The time between two synchronisations. None: only when somebody asks for one."""
        return INTERVALS_S[self.section.refresh] if self.origins else None


class FactCollections(WatchedConfig):
    """The watched file of collections."""

    what = "collections"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.folder = file.parent
        self.by_name: Mapping[str, ConfiguredCollection] = {}

    def load(self) -> None:
        """Raises ConfigError with every problem; then nothing changes."""
        self.by_name = load_collections(self.file)

    def concerns(self, file: Path) -> bool:
        return file.name == self.file.name

    def names(self) -> tuple[str, ...]:
        return tuple(self.by_name)

    def allow_lists(self) -> Mapping[str, tuple[str, ...] | None]:
        """The allow list of each collection; None: it has none."""
        return {name: each.section.allow for name, each in self.by_name.items()}

    def get(self, name: str) -> ConfiguredCollection:
        """Raises NotFound, with the nearest name and all others."""
        if name in self.by_name:
            return self.by_name[name]
        raise NotFound(unknown("collection", name, self.by_name) + f" ({self.file})")


def load_collections(file: Path) -> dict[str, ConfiguredCollection]:
    """Raises ConfigError with every problem of the file, each with its line."""
    content = toml.read_tables(file)
    text = toml.text_of(file)
    problems = [
        f"{toml.place_of((name,), file, text)}: {name!r} cannot name a collection: up to 64 small letters, digits,"
        " - and _"
        for name in content
        if not COLLECTION_NAME.fullmatch(name)
    ]
    kinds = {name: origin_kinds(name, table, file, text, problems) for name, table in content.items()}
    if problems:
        raise ConfigError("\n".join(problems))
    sections = toml.validate(file_model(kinds), content, file)
    return {name: build_collection(name, getattr(sections, field_name(name))) for name in content}


def origin_kinds(name: str, table: Any, file: Path, text: str, problems: list[str]) -> dict[str, type[OriginConnector]]:
    """Returns the connector of each origin of a collection. Adds unknown kinds to `problems`."""
    origins = table.get("origins", {}) if isinstance(table, dict) else {}
    kinds: dict[str, type[OriginConnector]] = {}
    for origin, fields in origins.items() if isinstance(origins, dict) else ():
        kind = fields.get("kind", "guessed") if isinstance(fields, dict) else "guessed"
        if kind in CONNECTORS:
            kinds[origin] = CONNECTORS[kind]
            continue
        place = toml.place_of((name, "origins", origin, "kind"), file, text)
        closest = closest_name(str(kind), CONNECTORS)
        hint = f"; did you mean {closest!r}?" if closest else ""
        problems.append(f"{place}: there is no kind of origin {kind!r}{hint} There are: {', '.join(CONNECTORS)}")
    return kinds


def file_model(kinds: Mapping[str, Mapping[str, type[OriginConnector]]]) -> type[Section]:
    """A model with a field for each collection and each origin, so that validation names the place of each problem."""
    tables: dict[str, Any] = {
        field_name(name): (collection_model(origins), Field(alias=name)) for name, origins in kinds.items()
    }
    return create_model("FactsFile", __base__=Section, **tables)


def collection_model(origins: Mapping[str, type[OriginConnector]]) -> type[CollectionSection]:
    fields: dict[str, Any] = {
        field_name(origin): (connector, Field(alias=origin)) for origin, connector in origins.items()
    }
    model = create_model("Origins", __base__=Section, **fields)
    default = Field() if origins else Field(default_factory=model)
    return create_model("Collection", __base__=CollectionSection, origins=(model, default))


def field_name(name: str) -> str:
    """Pydantic's names of fields begin with a letter and have no hyphen; the alias is the name in the file."""
    return "x_" + "".join(char if char.isalnum() else f"_{ord(char)}_" for char in name)


def build_collection(name: str, section: Any) -> ConfiguredCollection:
    origins = {
        str(field.alias): getattr(section.origins, key) for key, field in type(section.origins).model_fields.items()
    }
    plain = CollectionSection(**{name: getattr(section, name) for name in CollectionSection.model_fields})
    return ConfiguredCollection(name, plain, origins)
