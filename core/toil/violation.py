"""A failure of a value against its schema, and the sentence for it: the place, what was expected, what was written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.contract import Language
from core.texts import text
from core.toil.schema.values import type_of

QUOTED_CHARS = 80
NOT_JSON = "JSON"  # in the place of a keyword: the answer is not JSON, and `expected` says why
MISSING = {"required", "dependentRequired"}


@dataclass(frozen=True, slots=True)
class Violation:
    """The pointer ("" for the root) and keyword at which a value fails.

    `expected`: the keyword's value. `written`: the kind of the value and its beginning. It is the model's text, so it
    may go to the model and to the caller, never to a log.
    """

    pointer: str
    keyword: str
    expected: str = ""
    written: str = ""

    def explain(self, language: Language) -> str:
        if self.keyword == NOT_JSON:
            return text("prompt-violation-not-json", language, reason=self.expected)
        place = self.pointer or text("prompt-violation-root", language)
        if self.keyword in MISSING:
            return text("prompt-violation-missing", language, place=place, name=self.expected)
        return text(
            "prompt-violation",
            language,
            place=place,
            keyword=self.keyword,
            expected=self.expected,
            written=self.written,
        )


def describe_value(value: Any) -> str:
    """The kind of a value and its beginning, such as `string "abc"`."""
    dumped = json.dumps(value, ensure_ascii=False, default=str)
    quoted = dumped if len(dumped) <= QUOTED_CHARS else f"{dumped[:QUOTED_CHARS]}…"
    return quoted if value is None else f"{type_of(value)} {quoted}"


def explain_violations(violations: Iterable[Violation], language: Language) -> list[str]:
    """One sentence for each violation, and none twice."""
    return list(dict.fromkeys(violation.explain(language) for violation in violations))
