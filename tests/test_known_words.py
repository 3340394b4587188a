"""tests.support.known_words: how the words of a document are compared to the known ones."""

from __future__ import annotations

from tests.support.known_words import match_words


def test_words_in_order_are_counted() -> None:
    """Case, signs and markers do not count; a word that stands elsewhere is an extra one."""
    match = match_words("The fee is $25 a day.", "| **The** | fee | day | is | 25 | a |")

    assert (6, 6, 5, 1) == (match.known, match.found, match.in_order, match.extra)


def test_words_without_blanks_are_glued() -> None:
    """A long word that the document has is none of these."""
    long = "anticonstitutionnellement"
    match = match_words(f"{long} then other words", f"{long} thenotherwordsandsomemore")

    assert (25 / 50, 1) == (match.glued, match.in_order)


def test_a_document_without_its_words_has_a_share_of_none() -> None:
    assert (0.0, 0.0) == (match_words("one two", "").share, match_words("one two", "").glued)
