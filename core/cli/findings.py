"""The rows of the table of `csps-llm doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.contract import Language
from core.texts import text

FindingState = Literal["ok", "warn", "problem"]


@dataclass(frozen=True)
class Finding:
    """One row of the doctor's table."""

    check: str
    state: FindingState
    found: str
    advice: str = ""


@dataclass(frozen=True)
class FindingBuilder:
    """Builds findings in one language."""

    language: Language

    def __call__(
        self, check: str, state: FindingState, found: str, advice: str | None = None, **values: object
    ) -> Finding:
        """`check` and `advice` are the last parts of keys, `values` are those of the advice; `found` is a text."""
        advice_text = text(f"cli-advice-{advice}", self.language, **values) if advice else ""
        return Finding(text(f"cli-check-{check}", self.language), state, found, advice_text)

    def found(self, key: str, **values: object) -> str:
        return text(f"cli-found-{key}", self.language, **values)
