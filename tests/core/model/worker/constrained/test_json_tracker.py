"""The position in a JSON text, followed piece by piece."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.model.worker.constrained.json_tracker import JsonTracker

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(text=st.text())
def test_the_tracker_knows_strings_with_escapes(text: str) -> None:
    """It is inside from the first quote to the last, for any content of the string."""
    data = json.dumps(text).encode()
    strings = JsonTracker()
    for index, byte in enumerate(data):
        strings.feed(bytes([byte]))
        assert strings.inside is (index < len(data) - 1)


def test_a_token_can_close_one_string_and_open_the_next() -> None:
    """Only the count of strings shows it; the next string must not share the first one's limit."""
    strings = JsonTracker()
    strings.feed(b'["one')
    assert (True, 1) == (strings.inside, strings.strings)
    strings.feed(b'","')

    assert (True, 2) == (strings.inside, strings.strings)


@given(value=JSON, cuts=st.lists(st.integers(1, 5), min_size=1))
def test_pieces_of_any_size_lead_to_the_same_place(value: Any, cuts: list[int]) -> None:
    """Fed byte by byte or in pieces, the tracker ends outside of everything."""
    data = json.dumps(value).encode()
    pieces, single, at = JsonTracker(), JsonTracker(), 0
    while at < len(data):
        step = cuts[at % len(cuts)]
        pieces.feed(data[at : at + step])
        at += step
    for byte in data:
        single.feed(bytes([byte]))

    assert vars(pieces) == vars(single)
    assert (pieces.inside, bytes(pieces.containers)) == (False, b"")


def test_a_value_is_expected_after_a_colon_and_in_arrays() -> None:
    """Not where a key or the end must stand."""
    for text, expected in {
        "": True,
        "[": True,
        "[1,": True,
        '{"a":': True,
        '{"a": ': True,
        "{": False,
        '{"a": 1,': False,
        '{"a"': False,
        '{"a": "': False,
        '{"a": [1], ': False,
    }.items():
        tracker = JsonTracker()
        tracker.feed(text.encode())
        assert tracker.expects_value is expected, text


def test_keys_are_told_from_values() -> None:
    tracker = JsonTracker()
    keys = []
    for byte in b'{"a": "b", "c": ["d", {"e": "f"}]}':
        before = tracker.strings
        tracker.feed(bytes([byte]))
        if tracker.strings > before:
            keys.append(tracker.key)

    assert keys == [True, False, True, False, True, False]


def test_a_number_is_followed_until_it_ends() -> None:
    """The digits of a string and the letters of a literal are none."""
    tracker = JsonTracker()
    tracker.feed(b'{"a1": true, "b": -12.5e')
    assert tracker.number == b"-12.5e"
    tracker.feed(b"3}")
    assert tracker.number == b""
