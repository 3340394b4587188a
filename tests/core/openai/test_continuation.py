"""A begun answer and its continuation become one text, whatever the engine repeats of it."""

from __future__ import annotations

import pytest

from core.contract import Usage
from core.openai.chat_protocol import StreamFinished, TextDelta, ThinkingStarted
from core.openai.continuation import JoinFilter, join_events, last_words

BEGUN = "To renew your passport, fill in the form and pay the fe"
END = StreamFinished("stop", Usage())


def joined(begun: str, continuation: str, *, is_prompted: bool = True) -> str:
    """The whole text, by way of chunks of every length."""
    results = set()
    for size in range(1, max(len(continuation), 1) + 1):
        join = JoinFilter(begun, is_prompted=is_prompted)
        chunks = [continuation[at : at + size] for at in range(0, len(continuation), size)]
        results.add(begun + "".join([*map(join.feed, chunks), join.end()]))
    assert len(results) == 1
    return results.pop()


@pytest.mark.parametrize(
    ("continuation", "expected"),
    [
        ("fill in the form and pay the fee online.", " the fee online."),  # more words than it was asked for
        ("the form and pay the fee online.", " the fee online."),  # the words that it was asked for
        ("the fee online.", " the fee online."),  # two of them
        ("… and pay the fee online.", " the fee online."),
        (BEGUN + "e online.", " the fee online."),  # everything again
        ("\n" + BEGUN + "e online.", " the fee online."),
    ],
)
def test_repeated_words_are_dropped(continuation: str, expected: str) -> None:
    """Also where the begun text ends within a word."""
    assert joined(BEGUN, continuation) == BEGUN.removesuffix(" the fe") + expected


@pytest.mark.parametrize(
    ("begun", "continuation", "expected"),
    [
        ("The cat sat", "on the mat.", "The cat sat on the mat."),
        ("The cat sat", " on the mat.", "The cat sat on the mat."),
        ("The cat sat", ", then left.", "The cat sat, then left."),
        ("The cat.", "\n\nThe dog.", "The cat.\n\nThe dog."),
        ("Le chat (", "noir)", "Le chat (noir)"),
        ("l’", "école", "l’école"),
        ("Hel", "Hello there", "Hello there"),
        ("It is a", "a long way", "It is a a long way"),  # one word proves nothing
        ("Yes", "", "Yes"),
        ("Yes.", "…", "Yes.…"),
        ("", "Hello", "Hello"),
    ],
)
def test_a_continuation_without_the_last_words_is_kept(begun: str, continuation: str, expected: str) -> None:
    """Words do not run together."""
    assert joined(begun, continuation) == expected


def test_where_nothing_was_asked_in_words_only_a_whole_repetition_is_dropped() -> None:
    """An engine that ignores the field begins again; one that knows it may rightly repeat the last words."""
    assert joined(BEGUN, BEGUN + "e online.", is_prompted=False) == BEGUN + "e online."
    assert joined("ha ha ha", " ha ha ha", is_prompted=False) == "ha ha ha ha ha ha"
    assert joined("ha", "ha", is_prompted=False) == "haha"
    assert joined(BEGUN, "e. To renew it", is_prompted=False) == BEGUN + "e. To renew it"


def test_waiting_text_comes_before_the_end() -> None:
    """Other events pass at once."""
    join = JoinFilter("Hel", is_prompted=True)
    events = list(join_events(join, [TextDelta("H"), ThinkingStarted(), END]))

    assert events == [ThinkingStarted(), TextDelta(" H"), END]
    assert list(join_events(None, [TextDelta("H"), END])) == [TextDelta("H"), END]


@pytest.mark.parametrize(
    ("text", "words"), [("", ""), ("Hel", "Hel"), ("a b c d e f g", "b c d e f g"), ("a\nb c d e f", "a\nb c d e f")]
)
def test_the_last_words_begin_at_a_word(text: str, words: str) -> None:
    """There are six at most."""
    assert last_words(text) == words
