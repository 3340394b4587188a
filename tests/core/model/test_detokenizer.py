"""Token bytes become text that may be shown."""

from __future__ import annotations

import itertools
import re

from hypothesis import example, given
from hypothesis import strategies as st

from core.model.sequence import Detokenizer

STOPS = st.lists(st.text(alphabet="ab\né", min_size=1, max_size=4), max_size=3).map(tuple)
WRITTEN = st.text(alphabet="ab\né😀", max_size=40)
CUTS = st.lists(st.integers(0, 200), max_size=30)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` cut at these places."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def shown(assembler: Detokenizer, data: list[bytes]) -> list[str]:
    """What each piece made certain, and last what was held back."""
    return [*(assembler.feed(piece) for piece in data), assembler.finish()]


@given(st.text(), CUTS)
def test_any_text_comes_out_whole(text: str, cuts: list[int]) -> None:
    """However tokens cut the bytes, also inside characters, the pieces concatenate to the text."""
    assert "".join(shown(Detokenizer(), pieces(text.encode(), cuts))) == text


@given(st.text(min_size=1), CUTS)
def test_no_piece_ends_inside_a_character(text: str, cuts: list[int]) -> None:
    """Incomplete UTF-8 is held until the rest comes, so a whole text never shows a replacement character."""
    text = text.replace("\N{REPLACEMENT CHARACTER}", "")

    assert "\N{REPLACEMENT CHARACTER}" not in "".join(shown(Detokenizer(), pieces(text.encode(), cuts)))


def test_an_incomplete_character_waits_for_its_rest() -> None:
    """Three of four bytes show nothing; the fourth shows the character."""
    assembler = Detokenizer()

    assert [assembler.feed(bytes([byte])) for byte in "😀".encode()] == ["", "", "", "😀"]


@given(st.binary(), CUTS)
@example(b"a\xff\xfeb\xc3", [1, 2])
def test_bytes_that_are_no_utf8_are_replaced(data: bytes, cuts: list[int]) -> None:
    """What a model writes wrongly is marked; it neither raises nor swallows its neighbours."""
    assert "".join(shown(Detokenizer(), pieces(data, cuts))) == data.decode("utf-8", "replace")


@given(WRITTEN, STOPS, CUTS)
def test_no_output_contains_a_stop_string(text: str, stop: tuple[str, ...], cuts: list[int]) -> None:
    """Neither whole nor across pieces; what is shown is a beginning of what was written."""
    assembler = Detokenizer(stop)
    whole = "".join(shown(assembler, pieces(text.encode(), cuts)))

    assert not any(s in whole for s in stop)
    assert text.startswith(whole)
    assert assembler.stopped == any(s in text for s in stop)
    assert assembler.stopped or whole == text


@given(WRITTEN, st.text(alphabet="ab\né", min_size=1, max_size=4), CUTS)
def test_the_text_before_a_stop_string_is_kept_exactly(text: str, stop: str, cuts: list[int]) -> None:
    """With one stop string the cuts change nothing: all before its first occurrence, nothing after."""
    assert "".join(shown(Detokenizer((stop,)), pieces(text.encode(), cuts))) == re.split(re.escape(stop), text)[0]


@given(WRITTEN, STOPS)
def test_what_is_shown_never_begins_a_stop_string(text: str, stop: tuple[str, ...]) -> None:
    """Before the end, whatever of the text might become a stop string is held: its first half never leaks."""
    assembler = Detokenizer(stop)
    shown_chars = 0
    for end, char in enumerate(text, 1):
        shown_chars += len(assembler.feed(char.encode()))
        beginnings = [n for s in stop for n in range(1, len(s) + 1) if text[:end].endswith(s[:n])]
        assert assembler.stopped or shown_chars == end - max(beginnings, default=0)


def test_what_only_looked_like_a_stop_string_is_text_after_all() -> None:
    """Its beginning is held while it may go on, and shown when it does not."""
    assembler = Detokenizer(("\nUser:",))

    assert assembler.feed(b"Yes\nUse") == "Yes"
    assert assembler.feed(b"ful") == "\nUseful"
    assert assembler.feed(b"\nUser") == ""
    assert assembler.finish() == "\nUser"


def test_an_empty_stop_string_stops_nothing() -> None:
    """OpenAI's clients send `"stop": ""` for none."""
    assert shown(Detokenizer(("",)), [b"all of it"]) == ["all of it", ""]


def test_nothing_follows_a_stop() -> None:
    """Tokens that were drawn behind it are not shown."""
    assembler = Detokenizer(("END",))

    assert assembler.feed(b"so END and more") == "so "
    assert assembler.stopped
    assert assembler.feed(b" still more") == ""
    assert assembler.finish() == ""
