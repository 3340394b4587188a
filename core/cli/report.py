"""What a check of `doctor` gives: findings, in the language of whoever reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.cli.words import Words

State = Literal["ok", "warn", "problem"]


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, how it is, what was found and what to do."""

    check: str
    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Report:
    """Makes findings of one language."""

    words: Words

    def __call__(self, check: str, state: State, found: str, advice: str | None = None, **values: object) -> Finding:
        """`check` and `advice` are keys of the table of words; `found` is shown as it is."""
        return Finding(self.words(check), state, found, self.words(advice, **values) if advice else "")

    def say(self, key: str, **values: object) -> str:
        return self.words(key, **values)
