"""The prediction of a text from an earlier place in it."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.worker.prompt_lookup import MOST_TOKENS, PromptLookup


def lookup(prompt: bytes, answer: bytes) -> PromptLookup:
    """Follows a text whose tokens are bytes."""
    result = PromptLookup(np.frombuffer(prompt, np.uint8).astype(np.int32))
    result.add(list(answer))
    return result


def predicted(prompt: bytes, answer: bytes, count: int = 4) -> bytes:
    return bytes(lookup(prompt, answer).predict(count))


@pytest.mark.parametrize(
    ("prompt", "answer", "expected"),
    [
        (b"one two three|", b"say: two", b" thr"),
        (b"one two three|", b"e t", b"wo t"),
        (b"one two three|", b"xyz", b""),  # nothing of it stands elsewhere
        (b"one two three|", b"tx", b""),  # one token is not enough
        (b"one two three|", b"e|", b"e|"),  # no more than the text has
        (b"abc1 bc2 |", b"abc", b"1 bc"),  # three equal tokens outweigh a later place with two
        (b"abc1 abc2 |", b"abc", b"2 |a"),  # of equally good places, the later one
        (b"|", b"la la", b" la"),  # an answer that repeats itself
        (b"", b"", b""),
        (b"a", b"", b""),
        (b"ab", b"", b""),
    ],
)
def test_a_text_is_continued_as_at_the_place_that_is_most_alike(prompt: bytes, answer: bytes, expected: bytes) -> None:
    """The place may be in the prompt, across its end, or in the answer."""
    assert predicted(prompt, answer) == expected


def test_a_followed_place_is_kept() -> None:
    """Each token that comes as predicted counts."""
    text = bytes(range(50, 120))
    one_by_one = lookup(text + b"|", b"")
    for byte in text[:60]:
        one_by_one.add([byte])

    assert one_by_one.equal == 60
    assert bytes(one_by_one.predict(3)) == text[60:63]


def test_a_place_is_left_where_the_texts_part() -> None:
    """Another place is searched, and none is better than a wrong one."""
    followed = lookup(b"the red house|", b"the re")
    followed.add(list(b"al"))

    assert followed.predict(5) == []
    followed.add(list(b" house"))
    assert bytes(followed.predict(1)) == b"|"


def test_only_the_last_tokens_of_a_very_long_text_are_searched() -> None:
    """The time and the memory for a step are bounded."""
    filler = bytes([1, 2]) * (MOST_TOKENS // 2)

    assert predicted(b"needle in hay" + filler, b"needle") == b""
    assert predicted(b"needle in hay" + filler[:1000], b"needle") == b" in "


def test_an_answer_of_any_length_is_followed() -> None:
    """The store for its tokens grows."""
    answer = b"".join(b"%d " % number for number in range(400))

    assert predicted(b"|", answer + b"398 ") == b"399 "
