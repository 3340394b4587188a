"""Synonyms in both languages. They extend a question's words, not stored text, so that a new line works at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.configuration import toml
from core.contract import LANGUAGES
from core.rag.stemming import STEMMERS, folded_word_stems, folded_words, index_stems, is_content_word

Phrase = tuple[str, ...]  # stems, next to one another
Term = Annotated[str, Field(min_length=1, max_length=100)]

PHRASES_LIMIT = 60  # of one question


class GlossaryFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    meanings: tuple[tuple[Term, ...], ...]


class Glossary:
    def __init__(self, meanings: Sequence[Sequence[str]] = ()) -> None:
        self.terms = tuple(term for terms in meanings for term in terms)
        self._phrases = [term_phrases(terms) for terms in meanings]
        self._by_first: dict[str, list[tuple[Sequence[frozenset[str]], int]]] = defaultdict(list)
        for number, terms in enumerate(meanings):
            for term in terms:
                stems = [folded_word_stems(word) for word in folded_words(term)]
                for first in stems[0] if stems else ():
                    self._by_first[first].append((stems, number))

    @classmethod
    def load(cls, file: Path) -> Glossary:
        """Raises ConfigError with file, line and key."""
        return cls(toml.validate(GlossaryFile, toml.read_tables(file), file).meanings)

    def phrases(self, question: str) -> tuple[Phrase, ...]:
        """Returns the question's words, and all synonyms of its words and phrases; at most PHRASES_LIMIT."""
        own = [(stem,) for language in LANGUAGES for stem in index_stems(question, language)]
        expansions = [phrase for meaning in self._meanings(question) for phrase in self._phrases[meaning]]
        return tuple(dict.fromkeys([*own, *expansions]))[:PHRASES_LIMIT]

    def _meanings(self, question: str) -> Iterator[int]:
        """Finds the longest phrases: "credit card" is not also "card"."""
        words = [folded_word_stems(word) for word in folded_words(question)]
        at = 0
        while at < len(words):
            matches = [
                (len(stems), meaning)
                for first in words[at]
                for stems, meaning in self._by_first.get(first, ())
                if len(stems) <= len(words) - at and all(map(frozenset.intersection, stems, words[at:]))
            ]
            longest = max((length for length, _ in matches), default=1)
            yield from dict.fromkeys(meaning for length, meaning in matches if length == longest)
            at += longest


def term_phrases(terms: Sequence[str]) -> tuple[Phrase, ...]:
    """Returns the terms as the index stores them, in either language."""
    return tuple(
        dict.fromkeys(
            tuple(STEMMERS[language].stem(word) for word in content)
            for term in terms
            if (content := [word for word in folded_words(term) if is_content_word(word)])
            for language in LANGUAGES
        )
    )
