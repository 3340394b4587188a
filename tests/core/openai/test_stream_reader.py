"""Thinking before an answer is removed, however the text is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ModelUnavailable
from core.openai.chat_protocol import ModelLoading, QueuePosition, StreamEvent, StreamFinished, TextDelta
from core.openai.stream_reader import CLOSE, OPEN, StreamReader, ThinkingFilter

THOUGHT = re.compile(rf"\s*{OPEN}(.*?)({CLOSE}\s*|\Z)", re.DOTALL)
PIECES = st.sampled_from([OPEN, CLOSE, "<", ">", "/", "think", "<think", "</think", " ", "\n", "a", "é"])


def filter_thinking(*pieces: str) -> tuple[str, bool]:
    """Returns the visible text, and whether the model thought."""
    thinking = ThinkingFilter()
    visible = "".join([*map(thinking.feed, pieces), thinking.end()])
    return visible, thinking.has_begun


def text_event(text: str) -> bytes:
    return b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % text.encode()


def test_texts_that_arrive_together_are_one() -> None:
    """A slow reader gets several tokens at once, and nothing changes their order."""
    reader = StreamReader()
    chunk = text_event("a") + text_event("b") + b": queued position=2\n\n" + text_event("c")

    assert list(reader.feed(chunk)) == [TextDelta("ab"), QueuePosition(2, None), TextDelta("c")]
    assert list(reader.feed(text_event("d"))) == [TextDelta("d")]


def test_the_text_before_an_error_is_read() -> None:
    """Both arrived together; an answer is continued after its whole text."""
    events = StreamReader().feed(text_event("a") + text_event("b") + b'data: {"error": {"code": "no_room"}}\n\n')

    assert next(events) == TextDelta("ab")
    with pytest.raises(ModelUnavailable):
        next(events)


@pytest.mark.parametrize(
    ("text", "visible", "thought"),
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
def test_only_leading_thinking_is_removed(text: str, visible: str, thought: bool) -> None:
    """The text arrives whole, and character by character."""
    assert filter_thinking(text) == (visible, thought)
    assert filter_thinking(*text) == (visible, thought)


@given(st.lists(PIECES, max_size=12), st.lists(st.integers(1, 9)))
def test_any_cut_yields_the_same_text(parts: list[str], sizes: list[int]) -> None:
    """The result equals that of a regular expression over the whole text."""
    text, pieces = "".join(parts), []
    rest = text
    for size in [*sizes, len(text)]:
        pieces.append(rest[:size])
        rest = rest[size:]
    found = THOUGHT.match(text)

    visible, thought = filter_thinking(*pieces)
    assert visible == (text[found.end() :] if found else text)
    if found and found[2]:
        assert thought == bool(found[1].strip())


@given(st.text(), st.integers(0, 40))
def test_an_answer_that_has_begun_is_not_delayed(text: str, at: int) -> None:
    """Users read it while it is written."""
    thinking = ThinkingFilter()
    begun = thinking.feed("Hello")

    assert begun == "Hello"
    assert [thinking.feed(text[:at]), thinking.feed(text[at:])] == [text[:at], text[at:]]


@pytest.mark.parametrize(
    ("comment", "events"),
    [
        (b": loading wait_s=12.0", [ModelLoading(12.0)]),
        (b": loading", [ModelLoading(None)]),
        (b":loading wait_s=0 later=yes", [ModelLoading(0.0)]),
        (b": queued position=3 wait_s=2.5", [QueuePosition(3, 2.5)]),
        (b": loading wait_s=soon", []),
        (b": loading wait_s=nan", []),
        (b": loading wait_s=-1", []),
        (b": unloading wait_s=1", []),
        (b": ping", []),
        (b":", []),
    ],
)
def test_comments_report_why_an_answer_is_late(comment: bytes, events: list[StreamEvent]) -> None:
    """Comments of other engines, and values that are no expected time, are ignored."""
    assert list(StreamReader().feed(comment + b"\n\n")) == events


@pytest.mark.parametrize(
    ("field", "model"),
    [('"model": "tiny", ', "tiny"), ('"model": "", ', None), ('"model": 7, ', None), ("", None)],
)
def test_the_end_names_the_model_that_answered(field: str, model: str | None) -> None:
    """It can differ from the requested one, which may not be there yet."""
    reader = StreamReader()
    chunk = f'data: {{{field}"choices": [{{"delta": {{"content": "Hi"}}, "finish_reason": "stop"}}]}}\n\n'
    events = [*reader.feed(chunk.encode()), *reader.end()]

    assert isinstance(events[-1], StreamFinished)
    assert events[-1].model == model
