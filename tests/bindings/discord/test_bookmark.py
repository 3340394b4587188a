"""How far events are taken, for the process that comes after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bindings.discord.bookmark import EVERY_S, Bookmark, Position

READ = Position("1:2", "s-1", 10, "wss://gateway.example/")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "not-there-yet" / "session.json"


def test_what_is_read_and_not_taken_comes_again(file: Path) -> None:
    """The file speaks of what was before the oldest event that is not finished."""
    bookmark = Bookmark(file)
    bookmark.save(READ, now=True)
    assert Bookmark(file).load("1:2") == READ
    bookmark.began(replace(READ, sequence=11))
    bookmark.began(replace(READ, sequence=13))
    for finished, sequence in ((0, 10), (1, 12), (1, 14)):
        for _ in range(finished):
            bookmark.finished()
        bookmark.save(replace(READ, sequence=14), now=True)
        assert Bookmark(file).load("1:2") == replace(READ, sequence=sequence)


def test_a_new_session_is_saved_once_the_old_ones_events_are_taken(file: Path) -> None:
    """Its numbers begin anew."""
    bookmark = Bookmark(file)
    bookmark.save(READ, now=True)
    bookmark.began(replace(READ, sequence=11))
    new = replace(READ, session="s-2", sequence=1)
    bookmark.save(new, now=True)
    assert Bookmark(file).load("1:2") == READ
    bookmark.finished()
    bookmark.save(new, now=True)
    assert Bookmark(file).load("1:2") == new


def test_it_is_not_written_for_every_event(file: Path) -> None:
    """Busy guilds have many."""
    now = 100.0
    bookmark = Bookmark(file, lambda: now)
    bookmark.save(READ)
    bookmark.save(replace(READ, sequence=11))
    assert Bookmark(file).load("1:2") == READ
    now += EVERY_S
    bookmark.save(replace(READ, sequence=12))
    assert Bookmark(file).load("1:2") == replace(READ, sequence=12)


@pytest.mark.parametrize("written", ["", "{", "[]", '{"scope": "1:2"}', "null"])
def test_a_file_that_was_cut_short_begins_a_new_session(file: Path, written: str) -> None:
    """So does none, and that of another bot or of other intents."""
    assert Bookmark(file).load("1:2") is None
    Bookmark(file).save(READ, now=True)
    assert Bookmark(file).load("1:3") is None
    file.write_text(written)
    assert Bookmark(file).load("1:2") is None


def test_a_full_disk_keeps_nobody_from_being_answered(tmp_path: Path) -> None:
    """It is then only known less exactly."""
    (tmp_path / "file").write_text("")
    Bookmark(tmp_path / "file" / "session.json").save(READ, now=True)
