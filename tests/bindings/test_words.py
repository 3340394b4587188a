"""What the bots say: in both languages, and with the same gaps."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import get_args

import pytest

from bindings import words
from bindings.files import MessageFiles, TextFile, UnreadFile, UnreadReason


def sentences() -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, value in vars(words).items():
        if name.isupper() and isinstance(value, Mapping):
            nested = value if name == "UNREAD" else {"": value}
            yield from ((f"{name} {key}".strip(), each) for key, each in nested.items())


def gaps(text: object) -> set[str]:
    assert isinstance(text, str)
    return {gap.split(".")[0] for _, gap, _, _ in string.Formatter().parse(text) if gap is not None}


@pytest.mark.parametrize(
    ("name", "sentence"), list(sentences()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_everything_is_said_in_both_languages(name: str, sentence: Mapping[str, object]) -> None:
    """And names the same facts."""
    assert {"en", "fr"} == set(sentence), name
    if name != "PROMPTS":
        assert gaps(sentence["en"]) == gaps(sentence["fr"]), name
        assert all(sentence.values()), name


def test_unread_files_are_named_by_reason_and_made_harmless() -> None:
    """A file's name is what a person wrote: it stays on one line."""
    files = [UnreadFile("a.pdf", "kind"), UnreadFile("b\n@all.pdf", "kind"), UnreadFile("c.txt", "size")]

    said = words.unread(files, 2**20, "fr")

    assert ["a.pdf, b@all.pdf" in said[0], "1.0 Mo" in said[1], len(said)] == [True, True, 2]


def test_there_is_a_sentence_for_every_reason() -> None:
    """Those of the engine and those of the platforms."""
    reasons = [reason for part in get_args(UnreadReason) for reason in get_args(part) or (part,)]

    assert set(words.UNREAD) == set(reasons)


def test_files_that_were_read_in_part_are_named() -> None:
    """After those that were not read at all; the others are not."""
    read = (TextFile("whole.pdf", "document", "a"), TextFile("long\n.pdf", "document", "a", cut=True))
    said = words.shortcomings(MessageFiles(read, (UnreadFile("a.pdf", "locked"),)), 2**20, "en")

    assert ["Not read: a.pdf. It is locked by a password; attach it without one."] == said[:1]
    assert ["Read in part: long.pdf. It is too long; its end was left out."] == said[1:]


def test_a_duration_is_in_minutes_and_seconds() -> None:
    assert ["0:00", "1:05", "75:00"] == [words.duration(seconds) for seconds in (0.2, 65, 4500)]
