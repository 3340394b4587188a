"""The policy on personal information in config/personal_information.toml, loaded again when the file changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from pydantic import Field

from core.configuration import toml
from core.configuration.toml import BilingualText, Section, ShortText
from core.configuration.watched_config import WatchedConfig
from core.contract import LANGUAGES, Channel
from core.errors import ConfigError, closest_name
from core.privacy.allowances import Allowances
from core.privacy.detection import Detector
from core.privacy.findings import BUILT_IN_KINDS
from core.privacy.own_patterns import OwnPattern, PatternRefused, compile_pattern
from core.privacy.policy import Action, Actions, Policy

FILE = "personal_information.toml"
CHANNELS: tuple[Channel, ...] = get_args(Channel)
PATTERN_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


class AllowedSection(Section):
    emails: tuple[ShortText, ...] = ()
    telephones: tuple[ShortText, ...] = ()
    postal_codes: tuple[ShortText, ...] = ()
    passages: tuple[ShortText, ...] = ()


class PatternSection(Section):
    pattern: ShortText
    title: BilingualText


class PersonalitySection(Section):
    """The actions for a personality, and for it on single channels."""

    everywhere: dict[str, Action] = Field(default_factory=dict)
    channels: dict[str, dict[str, Action]] = Field(default_factory=dict)


class PolicyFile(Section):
    default: dict[str, Action] = Field(default_factory=dict)
    channels: dict[str, dict[str, Action]] = Field(default_factory=dict)
    personalities: dict[str, PersonalitySection] = Field(default_factory=dict)
    allowed: AllowedSection = Field(default_factory=AllowedSection)
    patterns: dict[str, PatternSection] = Field(default_factory=dict)


class PersonalInformationPolicy(WatchedConfig):
    """The watched file of the policy."""

    what = "personal information"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.folder = file.parent
        self.policy = Policy()
        self._personalities: tuple[str, ...] = ()

    def load(self) -> None:
        """Raises ConfigError with every problem; then nothing changes."""
        content = toml.validate(PolicyFile, toml.read_tables(self.file), self.file)
        self.policy = build_policy(content, self.file)
        self._personalities = tuple(content.personalities)

    def concerns(self, file: Path) -> bool:
        return file.name == self.file.name

    def names(self) -> tuple[str, ...]:
        return tuple(pattern.name for pattern in self.policy.detector.own_patterns)

    def unknown_personalities(self, known: Iterable[str]) -> tuple[str, ...]:
        """A sentence for each personality of the file that does not exist."""
        names = tuple(known)
        return tuple(
            f"{place(self.file, 'personalities', name)}: there is no personality {name!r}{hint(name, names)}"
            for name in self._personalities
            if name not in names
        )


def build_policy(content: PolicyFile, file: Path) -> Policy:
    """Raises ConfigError with every problem."""
    problems = [*name_problems(content, file)]
    patterns = []
    for name, section in content.patterns.items():
        try:
            expression = compile_pattern(section.pattern)
        except PatternRefused as exc:
            problems.append(f"{place(file, 'patterns', name, 'pattern')}: `patterns.{name}.pattern`: {exc}")
        else:
            title = {language: section.title.in_language(language) for language in LANGUAGES}
            patterns.append(OwnPattern(name, expression, title))
    if problems:
        raise ConfigError("\n".join(problems))
    allowed = content.allowed
    allowances = Allowances(allowed.emails, allowed.telephones, allowed.postal_codes, allowed.passages)
    return Policy(
        Detector(allowances, tuple(patterns)),
        content.default,
        content.channels,
        {name: section.everywhere for name, section in content.personalities.items()},
        {
            (name, channel): actions
            for name, section in content.personalities.items()
            for channel, actions in section.channels.items()
        },
    )


def name_problems(content: PolicyFile, file: Path) -> Iterator[str]:
    """A sentence for each unknown kind or channel, and for each name that a pattern cannot have."""
    kinds = (*BUILT_IN_KINDS, *content.patterns)
    for name in content.patterns:
        if name in BUILT_IN_KINDS or not PATTERN_NAME.fullmatch(name):
            yield (
                f"{place(file, 'patterns', name)}: {name!r} cannot name a pattern: small letters, digits and _, and not"
                " the name of a built-in kind"
            )
    for key, actions in action_tables(content):
        for kind in actions:
            if kind not in kinds:
                yield (
                    f"{place(file, *key, kind)}: there is no kind {kind!r}{hint(kind, kinds)}"
                    f" The kinds are: {', '.join(kinds)}"
                )
    for key, channel in named_channels(content):
        if channel not in CHANNELS:
            yield (
                f"{place(file, *key, channel)}: there is no channel {channel!r}{hint(channel, CHANNELS)}"
                f" The channels are: {', '.join(CHANNELS)}"
            )


def action_tables(content: PolicyFile) -> Iterator[tuple[tuple[str, ...], Actions]]:
    yield ("default",), content.default
    for channel, actions in content.channels.items():
        yield ("channels", channel), actions
    for name, section in content.personalities.items():
        yield ("personalities", name, "everywhere"), section.everywhere
        for channel, actions in section.channels.items():
            yield ("personalities", name, "channels", channel), actions


def named_channels(content: PolicyFile) -> Iterator[tuple[tuple[str, ...], str]]:
    yield from ((("channels",), channel) for channel in content.channels)
    for name, section in content.personalities.items():
        yield from ((("personalities", name, "channels"), channel) for channel in section.channels)


def hint(name: str, known: Iterable[str]) -> str:
    closest = closest_name(name, known)
    return f"; did you mean {closest!r}?" if closest else "."


def place(file: Path, *key: str) -> str:
    return toml.place_of(key, file, toml.text_of(file))
