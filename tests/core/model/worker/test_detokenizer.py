"""Token bytes become text."""

from __future__ import annotations

import itertools
import re

from hypothesis import example, given
from hypothesis import strategies as st

from core.model.worker.sequence import Detokenizer

STOPS = st.lists(st.text(alphabet="ab\né", min_size=1, max_size=4), max_size=3).map(tuple)
WRITTEN = st.text(alphabet="ab\né😀", max_size=40)
CUTS = st.lists(st.integers(0, 200), max_size=30)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cuts `data` at these places."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def detokenize(detokenizer: Detokenizer, data: list[bytes]) -> list[str]:
    """Returns the text after each piece, and the pending text at the end."""
    return [*(detokenizer.feed(piece) for piece in data), detokenizer.finish()]


@given(st.text(), CUTS)
def test_any_cut_yields_the_whole_text(text: str, cuts: list[int]) -> None:
    """Tokens may cut the bytes anywhere, also inside characters."""
    assert "".join(detokenize(Detokenizer(), pieces(text.encode(), cuts))) == text


@given(st.text(min_size=1), CUTS)
def test_no_piece_ends_inside_a_character(text: str, cuts: list[int]) -> None:
    """Incomplete UTF-8 waits for the rest, so that valid text contains no replacement character."""
    text = text.replace("\N{REPLACEMENT CHARACTER}", "")

    assert "\N{REPLACEMENT CHARACTER}" not in "".join(detokenize(Detokenizer(), pieces(text.encode(), cuts)))


def test_an_incomplete_character_waits_for_its_rest() -> None:
    """Three of four bytes yield no text; the fourth yields the character."""
    detokenizer = Detokenizer()

    assert [detokenizer.feed(bytes([byte])) for byte in "😀".encode()] == ["", "", "", "😀"]


@given(st.binary(), CUTS)
@example(b"a\xff\xfeb\xc3", [1, 2])
def test_invalid_utf8_is_replaced(data: bytes, cuts: list[int]) -> None:
    """An invalid byte becomes a replacement character, and its neighbours stay."""
    assert "".join(detokenize(Detokenizer(), pieces(data, cuts))) == data.decode("utf-8", "replace")


@given(WRITTEN, STOPS, CUTS)
def test_no_output_contains_a_stop_string(text: str, stop: tuple[str, ...], cuts: list[int]) -> None:
    """A stop string never appears, also across pieces; the output is a beginning of the text."""
    detokenizer = Detokenizer(stop)
    whole = "".join(detokenize(detokenizer, pieces(text.encode(), cuts)))

    assert not any(s in whole for s in stop)
    assert text.startswith(whole)
    assert detokenizer.stopped == any(s in text for s in stop)
    assert detokenizer.stopped or whole == text


@given(WRITTEN, st.text(alphabet="ab\né", min_size=1, max_size=4), CUTS)
def test_the_text_before_a_stop_string_is_kept_exactly(text: str, stop: str, cuts: list[int]) -> None:
    """With one stop string, all text before its first occurrence appears and none after it, wherever the cuts are."""
    assert "".join(detokenize(Detokenizer((stop,)), pieces(text.encode(), cuts))) == re.split(re.escape(stop), text)[0]


@given(WRITTEN, STOPS)
def test_a_possible_beginning_of_a_stop_string_is_held_back(text: str, stop: tuple[str, ...]) -> None:
    """Before the end, no beginning of a stop string appears."""
    detokenizer = Detokenizer(stop)
    shown_chars = 0
    for end, char in enumerate(text, 1):
        shown_chars += len(detokenizer.feed(char.encode()))
        beginnings = [n for s in stop for n in range(1, len(s) + 1) if text[:end].endswith(s[:n])]
        assert detokenizer.stopped or shown_chars == end - max(beginnings, default=0)


def test_an_incomplete_stop_string_becomes_text() -> None:
    """Its beginning is held back and appears once other text follows."""
    detokenizer = Detokenizer(("\nUser:",))

    assert detokenizer.feed(b"Yes\nUse") == "Yes"
    assert detokenizer.feed(b"ful") == "\nUseful"
    assert detokenizer.feed(b"\nUser") == ""
    assert detokenizer.finish() == "\nUser"


def test_an_empty_stop_string_stops_nothing() -> None:
    """OpenAI's clients send `"stop": ""` for no stop string."""
    assert detokenize(Detokenizer(("",)), [b"all of it"]) == ["all of it", ""]


def test_no_text_follows_a_stop_string() -> None:
    """Tokens sampled after it yield no text."""
    detokenizer = Detokenizer(("END",))

    assert detokenizer.feed(b"so END and more") == "so "
    assert detokenizer.stopped
    assert detokenizer.feed(b" still more") == ""
    assert detokenizer.finish() == ""
