"""Chooses between English and French for what a terminal shows. Each command keeps its own table of words."""

from __future__ import annotations

from collections.abc import Mapping

from core.contract import Language
from core.language import parse_language_tag

Table = Mapping[str, tuple[str, str]]  # key: (English, French), with {names} for values


class Words:
    """`words("key", name=value)` is the sentence in the language of whoever reads."""

    def __init__(self, table: Table, language: Language) -> None:
        self._table = table
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        english, french = self._table[key]
        return (french if self.language == "fr" else english).format(**values)


def language_of(environ: Mapping[str, str]) -> Language:
    """The locale's language, by the variables' order in POSIX; English where it is neither."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return parse_language_tag(locale) or "en"
