"""The personalities of config/personalities/*.toml: loaded, validated, and swapped when a file changes.

Owns what a personality is and which are there. Knows nothing of models or conversations: whoever answers takes a frozen
`Personality` and keeps it to the end of the answer, whatever happens to the files meanwhile.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import structlog
import watchfiles
from pydantic import BaseModel, ConfigDict, Field

from core import toml
from core.contract import Language, Sampling
from core.errors import ConfigError, PersonalityUnknown

log = structlog.get_logger()

NAME = re.compile(r"[a-z0-9-]+")
SHOWN_NAME_CHARS = 40  # of a name that a caller made up, in the message that refuses it
FACTS_HEADER: Mapping[Language, str] = {"en": "Facts you can rely on:", "fr": "Faits sur lesquels tu peux compter :"}

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Line = Annotated[str, Field(min_length=1, max_length=2000)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Words(Section):
    """A sentence in both languages: people who see a list of personalities read either."""

    en: Line
    fr: Line


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
        return "\n".join([self.system, "", FACTS_HEADER[self.language], *(f"- {fact}" for fact in self.facts)])


class Personalities:
    """Those of one folder. `load` them once, then keep `watch` running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_name: Mapping[str, Personality] = {}

    def load(self) -> None:
        """Take the whole folder, or raise ConfigError with every problem of every file and change nothing."""
        loaded, problems = {}, []
        for file in files_of(self.folder):
            try:
                loaded[file.stem] = read(file)
            except ConfigError as exc:
                problems.append(exc.message)
        if not loaded and not problems:
            problems.append(f"{self.folder}: there is no personality; add a file such as whisper.toml")
        if problems:
            raise ConfigError("\n".join(problems))
        self._by_name = dict(sorted(loaded.items(), key=lambda entry: (entry[1].position, entry[0])))

    async def watch(self, swapped: Callable[[], None] = lambda: None) -> None:
        """Reload on every change, until cancelled. If a file is bad, all stay as they were and a log event says why."""
        async for _changes in watchfiles.awatch(self.folder, watch_filter=is_personality, recursive=False):
            if await self.reload():
                swapped()

    async def reload(self) -> bool:
        """Load again; False if the files are bad and the old ones stay."""
        try:
            await asyncio.to_thread(self.load)
        except ConfigError as exc:
            log.error("personalities_kept", problem=exc.message)  # noqa: TRY400 - the operator's error, not ours
            return False
        log.info("personalities_loaded", names=self.names())
        return True

    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def get(self, name: str) -> Personality:
        """Raises PersonalityUnknown, which names the nearest and those there are."""
        if name in self._by_name:
            return self._by_name[name]
        near = difflib.get_close_matches(name[:SHOWN_NAME_CHARS], self._by_name, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise PersonalityUnknown(
            f"no personality named {name[:SHOWN_NAME_CHARS]!r}; {hint}There are: {', '.join(self._by_name)}"
        )


def files_of(folder: Path) -> list[Path]:
    """In order of name. Hidden ones are editors' working copies."""
    try:
        return sorted(file for file in folder.iterdir() if is_personality(None, str(file)))
    except OSError as exc:
        raise ConfigError(f"{folder}: {exc.strerror}") from exc


def is_personality(_change: Any, path: str) -> bool:
    file = Path(path)
    return file.suffix == ".toml" and not file.name.startswith(".")


def read(file: Path) -> Personality:
    """Raises ConfigError with every problem of the file, each with its line."""
    if not NAME.fullmatch(file.stem):
        raise ConfigError(f"{file}: the file's name is the personality's, so use only a-z, 0-9 and - before .toml")
    content = toml.validate(PersonalityFile, toml.read(file), file)
    return Personality(name=file.stem, **dict(content))
