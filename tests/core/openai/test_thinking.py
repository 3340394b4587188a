"""ThinkingFilter in front of an answer is told from the answer, however the text is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.openai.stream_reader import CLOSE, OPEN, ThinkingFilter

THOUGHT = re.compile(rf"\s*{OPEN}(.*?)({CLOSE}\s*|\Z)", re.DOTALL)
PIECES = st.sampled_from([OPEN, CLOSE, "<", ">", "/", "think", "<think", "</think", " ", "\n", "a", "é"])


def read(*pieces: str) -> tuple[str, bool]:
    """What of the pieces is shown, and whether something was thought."""
    thinking = ThinkingFilter()
    shown = "".join([*map(thinking.feed, pieces), thinking.end()])
    return shown, thinking.begun


@pytest.mark.parametrize(
    ("text", "shown", "thought"),
    [
        ("Hello", "Hello", False),
        (" \n Hello", " \n Hello", False),
        ("<think>Hm.</think>\n\nHello", "Hello", True),
        (" \n<think>\nHm.\n</think>Hello", "Hello", True),
        ("<think>a < b </ think> c</think>Hello", "Hello", True),
        ("<think>a <think> b</think>c</think>", "c</think>", True),
        ("<think>\n\n</think>\n\nHello", "Hello", False),
        ("<think>Hm", "", True),
        ("<think>Hm</thi", "", True),
        ("<think>", "", False),
        ("<thin", "<thin", False),
        ("<thinking>Hm", "<thinking>Hm", False),
        ("The tag <think> opens</think>", "The tag <think> opens</think>", False),
        ("<think>Hm</think>A <think>b</think>", "A <think>b</think>", True),
        ("Hm</think>Hello", "Hm</think>Hello", False),
        ("", "", False),
    ],
)
def test_only_the_thinking_in_front_is_left_out(text: str, shown: str, thought: bool) -> None:
    """Whole, and character by character."""
    assert read(text) == (shown, thought)
    assert read(*text) == (shown, thought)


@given(st.lists(PIECES, max_size=12), st.lists(st.integers(1, 9)))
def test_any_text_in_any_pieces(parts: list[str], sizes: list[int]) -> None:
    """The same is left out as by one look at the whole text."""
    text, pieces = "".join(parts), []
    rest = text
    for size in [*sizes, len(text)]:
        pieces.append(rest[:size])
        rest = rest[size:]
    found = THOUGHT.match(text)

    shown, thought = read(*pieces)
    assert shown == (text[found.end() :] if found else text)
    if found and found[2]:
        assert thought == bool(found[1].strip())


@given(st.text(), st.integers(0, 40))
def test_nothing_is_held_back_of_an_answer_that_has_begun(text: str, at: int) -> None:
    """People read it as it is written."""
    thinking = ThinkingFilter()
    begun = thinking.feed("Hello")

    assert begun == "Hello"
    assert [thinking.feed(text[:at]), thinking.feed(text[at:])] == [text[:at], text[at:]]
