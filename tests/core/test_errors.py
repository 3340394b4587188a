"""Helpers for error messages."""

from __future__ import annotations

from core.errors import closest_name


def test_the_closest_name() -> None:
    """A misspelled name has a suggestion; a name like no other has none."""
    assert closest_name("wisper", ("guide", "whisper")) == "whisper"
    assert closest_name("wisper", ()) is None
    assert closest_name("xyz", ("guide", "whisper")) is None
