"""Patterns in the engine's dialect match the same texts, or more."""

from __future__ import annotations

import re

import pytest

from core.toil.schema.patterns import are_disjoint, exclude_texts, match_texts, translate_pattern


@pytest.mark.parametrize(
    ("pattern", "patterns"),
    [
        ("^a$", ("^a$",)),
        ("^a|b$", ("^a|b$",)),
        (r"^[^]$", (r"^[\s\S]$",)),
        (r"^[[a]$", (r"^[\[a]$",)),
        (r"a{,2}}", (r"a\{,2\}\}",)),
        (r"a{1,2}", ("a{1,2}",)),
        (r"\cA\/\-\_", (r"\x01\/\-_",)),
        (r"\u0041\x42", (r"\x{41}\x{42}",)),
        (r"\ud83d\ude00", (r"\x{1f600}",)),
        (r"^(?<year>\d)$", (r"^(\d)$",)),
        (r"[\w-.]", (r"[\w\-.]",)),
        ("^(?=.*a)(?=.*b)c$", ("^(?:.*a)", "^(?:.*b)", "^c$")),
    ],
)
def test_exact_translation(pattern: str, patterns: tuple[str, ...]) -> None:
    """The same pattern in the dialects of ECMA 262 and Rust."""
    translated = translate_pattern(pattern)

    assert (translated.patterns, translated.exact) == (patterns, True)


@pytest.mark.parametrize(
    ("pattern", "patterns"),
    [
        ("^(?!a)b$", ("^(?:)b$",)),
        (r"\ba", ("(?:)a",)),
        (r"(a)\1", (r"(a)(?:[\s\S]*)",)),
        ("a^b", ("a(?:)b",)),
        ("^(?=a)b|c$", ("^(?:)b|c$",)),
        (r"\q", ()),
        ("(", ("(",)),
        (r"\ud83d", ()),
        ("a\\", ()),
    ],
)
def test_unsupported_parts_make_the_pattern_wider(pattern: str, patterns: tuple[str, ...]) -> None:
    """An invalid pattern is left for the validator to refuse."""
    translated = translate_pattern(pattern)

    assert translated.patterns == patterns
    assert not translated.exact or pattern == "("


@pytest.mark.parametrize("words", [["ab"], ["a", "ab", "b"], [""], ["x.y", "x+y"], ["é", "]"]])
def test_exclude_texts_matches_every_other_text(words: list[str]) -> None:
    """Every text but these."""
    pattern = exclude_texts(words)
    assert pattern is not None

    assert [word for word in words if re.search(pattern, word)] == []
    others = {"", "a", "b", "ab", "abc", "ba", "x.y.", "xay", "é", "z", "]]", "\n"} - set(words)
    assert [other for other in sorted(others) if not re.search(pattern, other)] == []


def test_match_texts_reads_texts_literally() -> None:
    """Metacharacters are escaped."""
    assert re.search(match_texts(["a.b", "c|d"]), "c|d")
    assert not re.search(match_texts(["a.b", "c|d"]), "axb")


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("^a", "^b", True),
        ("^a", "^ab", False),
        ("a", "b", False),
        ("^ab?", "^ac", False),
        ("^x-", "^y-", True),
        ("^a|b", "^c", False),
    ],
)
def test_patterns_with_different_prefixes_are_disjoint(one: str, other: str, apart: bool) -> None:
    """Other patterns are never called disjoint."""
    assert are_disjoint(one, other) is apart
