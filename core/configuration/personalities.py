"""The personalities of config/personalities/*.toml: loaded, validated, and swapped when a file changes.

Owns what a personality is and which are there. Knows nothing of models or conversations: whoever answers takes a frozen
`Personality` and keeps it to the end of the answer, whatever happens to the files meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from pydantic import Field

from core.configuration import toml
from core.configuration.toml import NAME, Line, Section, Words
from core.configuration.watched_config import Reloaded, unknown
from core.contract import Language, Sampling
from core.errors import ConfigError, PersonalityUnknown
from core.texts import text

SHOWN_NAME_CHARS = 40  # of a name that a caller made up, in the message that refuses it

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class SamplingDefaults(Section):
    """How tokens are drawn, unless the caller says otherwise. What is left out, the model chooses."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    repeat_penalty: float | None = Field(default=None, gt=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)  # of one answer

    def under(self, wished: Sampling) -> Sampling:
        """`wished`, with what it leaves open taken from here."""
        chosen = {name: value for name, value in asdict(wished).items() if value is not None}
        return Sampling(**{**self.model_dump(), **chosen})


class PersonalityFile(Section):
    """What one file says."""

    title: Line  # as people see it
    position: int = 100  # in lists: lower ones first, equal ones by name; the first of a language is its default
    language: Language  # that it speaks, and is spoken to by the service around it
    description: Words
    system: str = Field(min_length=1, max_length=20_000)  # the system prompt
    facts: tuple[Line, ...] = ()  # added to the system prompt, so each costs tokens in every answer
    greeting: Line
    sampling: SamplingDefaults = SamplingDefaults()
    sources: tuple[Identifier, ...] = ()  # public feeds it may read, by their names in config/sources.toml
    collections: tuple[Identifier, ...] = ()  # collections of facts that it looks things up in
    # The model it asks the engine for. A remote engine (LLM_URL) may serve several; the local process serves one, so
    # there it must be that one. If the engine does not serve it, describing and answering fail and say what is served.
    model: str | None = Field(default=None, min_length=1, max_length=200)


class Personality(PersonalityFile):
    name: str  # the file's, without .toml

    @property
    def instructions(self) -> str:
        """The system prompt with the facts, as the model is given it."""
        if not self.facts:
            return self.system
        return "\n".join([self.system, "", text("prompt-facts", self.language), *(f"- {fact}" for fact in self.facts)])


class Personalities(Reloaded):
    """Those of one folder."""

    what = "personalities"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_name: Mapping[str, Personality] = {}

    def load(self) -> None:
        """Take the whole folder, or raise ConfigError with every problem of every file and change nothing."""
        loaded, problems = {}, []
        for file in self._files():
            try:
                loaded[file.stem] = read(file)
            except ConfigError as exc:
                problems.append(exc.message)
        if not loaded and not problems:
            problems.append(f"{self.folder}: there is no personality; add a file such as whisper.toml")
        if problems:
            raise ConfigError("\n".join(problems))
        self._by_name = dict(sorted(loaded.items(), key=lambda entry: (entry[1].position, entry[0])))

    def concerns(self, file: Path) -> bool:
        return file.suffix == ".toml"

    def _files(self) -> list[Path]:
        """In order of name."""
        try:
            return sorted(file for file in self.folder.iterdir() if self.is_of(file))
        except OSError as exc:
            raise ConfigError(f"{self.folder}: {exc.strerror}") from exc

    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def get(self, name: str) -> Personality:
        """Raises PersonalityUnknown, which names the nearest and those there are."""
        if name in self._by_name:
            return self._by_name[name]
        raise PersonalityUnknown(unknown("personality", name[:SHOWN_NAME_CHARS], self._by_name))


def read(file: Path) -> Personality:
    """Raises ConfigError with every problem of the file, each with its line."""
    if not NAME.fullmatch(file.stem):
        raise ConfigError(f"{file}: the file's name is the personality's, so use only a-z, 0-9 and - before .toml")
    content = toml.validate(PersonalityFile, toml.read(file), file)
    return Personality(name=file.stem, **dict(content))
